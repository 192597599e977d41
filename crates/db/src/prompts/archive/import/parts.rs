//! What belongs to a prompt that is taken in: its versions, and the moves of its labels.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    documents::Sha256,
    prompts::{
        ArchivedLabelMove, ArchivedVersion, HIGHEST_NUMBER, LabelMoveId, LabelName, PromptVersionId,
    },
    users::UserId,
};

use super::{NOT_YOURS, Outcome, Parts, derived};
use crate::{
    Connection,
    prompts::Stored,
    schema::{prompt_label_moves, prompt_labels, prompt_versions},
};

/// By the ids that versions come with, those they have here.
pub(super) type Ids = HashMap<PromptVersionId, PromptVersionId>;

/// By lineage and number, the versions that are here.
type Here = BTreeMap<(i32, i32), (PromptVersionId, Sha256)>;

impl Parts<'_, '_> {
    /// The versions; gives the ids they have here by those they come with.
    pub(super) async fn take_in_versions(
        &mut self,
        conn: &mut Connection,
        prompt: &Stored,
    ) -> QueryResult<Ids> {
        let mut there = versions_here(conn, prompt).await?;
        let may_change = prompt.may_be_changed_by(self.viewer);
        let mut taken = self.taken(conn).await?;
        let (mut ids, mut seen) = (HashMap::new(), HashSet::new());
        for (index, version) in &std::mem::take(&mut self.versions) {
            const AREA: &str = "promptVersions";
            let place = (version.lineage, version.version);
            if let Some(fault) = fault_of(version) {
                self.import.report.fault(AREA, *index, fault);
            } else if !seen.insert(version.id) {
                self.import
                    .report
                    .fault(AREA, *index, "has the id of an earlier one");
            } else if let Some((here, sha256)) = there.get(&place) {
                if *sha256 == version.sha256 {
                    ids.insert(version.id, *here);
                    self.import
                        .report
                        .row(AREA, *index, here.0, Outcome::Unchanged);
                } else {
                    self.import.report.fault(
                        AREA,
                        *index,
                        "differs from the version of this number here",
                    );
                }
            } else if !may_change {
                self.import.report.fault(AREA, *index, NOT_YOURS);
            } else {
                let wanted = [version.id, self.derived(version)];
                let free = wanted.into_iter().find(|id| !taken.contains(id));
                let here = free.unwrap_or_else(PromptVersionId::new);
                taken.insert(here);
                self.insert_version(conn, prompt, here, version).await?;
                there.insert(place, (here, version.sha256));
                ids.insert(version.id, here);
                self.import
                    .report
                    .row(AREA, *index, here.0, Outcome::Created);
            }
        }
        for (there, here) in &ids {
            self.import.versions.hold(there.0, here.0);
        }
        Ok(ids)
    }

    fn derived(&self, version: &ArchivedVersion) -> PromptVersionId {
        PromptVersionId(derived(self.viewer, version.id.0))
    }

    /// The ids of the versions that are in use already, for whatever.
    async fn taken(&self, conn: &mut Connection) -> QueryResult<HashSet<PromptVersionId>> {
        let rows = self.versions.iter();
        let wanted: Vec<PromptVersionId> = rows
            .flat_map(|(_, row)| [row.id, self.derived(row)])
            .collect();
        let taken: Vec<PromptVersionId> = prompt_versions::table
            .filter(prompt_versions::id.eq_any(wanted))
            .select(prompt_versions::id)
            .load(conn)
            .await?;
        Ok(taken.into_iter().collect())
    }

    async fn insert_version(
        &self,
        conn: &mut Connection,
        prompt: &Stored,
        id: PromptVersionId,
        version: &ArchivedVersion,
    ) -> QueryResult<()> {
        diesel::insert_into(prompt_versions::table)
            .values((
                prompt_versions::id.eq(id),
                prompt_versions::company_id.eq(prompt.company_id),
                prompt_versions::prompt_id.eq(prompt.prompt.id),
                prompt_versions::lineage.eq(version.lineage),
                prompt_versions::version.eq(version.version),
                prompt_versions::label.eq(version.body.kind.version_label(version.version)),
                prompt_versions::body.eq(&version.body),
                prompt_versions::sha256.eq(version.sha256),
                prompt_versions::tokens_estimate.eq(version.body.tokens_estimate()),
                prompt_versions::created_by.eq(self.import.person(version.created_by)),
                prompt_versions::created_at.eq(version.created_at.min(Utc::now())),
            ))
            .execute(conn)
            .await
            .map(|_| ())
    }

    /// The moves of labels, and where the labels point after them; says whether there were any.
    pub(super) async fn take_in_moves(
        &mut self,
        conn: &mut Connection,
        prompt: &Stored,
        ids: &Ids,
    ) -> QueryResult<bool> {
        const AREA: &str = "promptLabelMoves";
        let mut any = false;
        // What lies ahead is stored as of now: in order, the last one stays the last.
        let mut moves = std::mem::take(&mut self.moves);
        moves.sort_by_key(|(_, moved)| moved.moved_at);
        for (index, moved) in &moves {
            let version = match moved.version_id.map(|id| ids.get(&id)) {
                None => None,
                Some(Some(here)) => Some(*here),
                Some(None) => {
                    self.import
                        .report
                        .fault(AREA, *index, "points at no version of this import");
                    continue;
                }
            };
            let (id, outcome) = match find_move(conn, prompt, moved).await? {
                Some(here) => (here, Outcome::Unchanged),
                None if !prompt.may_be_changed_by(self.viewer) => {
                    self.import.report.fault(AREA, *index, NOT_YOURS);
                    continue;
                }
                None => (
                    self.insert_move(conn, prompt, moved, version).await?,
                    Outcome::Created,
                ),
            };
            any |= outcome == Outcome::Created;
            self.import.report.row(AREA, *index, id.0, outcome);
        }
        if any {
            point_again(conn, prompt).await?;
        }
        Ok(any)
    }

    async fn insert_move(
        &self,
        conn: &mut Connection,
        prompt: &Stored,
        moved: &ArchivedLabelMove,
        version: Option<PromptVersionId>,
    ) -> QueryResult<LabelMoveId> {
        let id = id_of_move(prompt, moved);
        diesel::insert_into(prompt_label_moves::table)
            .values((
                prompt_label_moves::id.eq(id),
                prompt_label_moves::company_id.eq(prompt.company_id),
                prompt_label_moves::prompt_id.eq(prompt.prompt.id),
                prompt_label_moves::name.eq(&moved.name),
                prompt_label_moves::version_id.eq(version),
                prompt_label_moves::moved_by.eq(self.import.person(moved.moved_by)),
                prompt_label_moves::moved_at.eq(moved.moved_at.min(Utc::now())),
            ))
            .execute(conn)
            .await?;
        Ok(id)
    }
}

/// Why a version cannot be taken in wherever it belongs.
fn fault_of(version: &ArchivedVersion) -> Option<String> {
    let numbers = 1..=HIGHEST_NUMBER;
    if version.body.sha256() != version.sha256 {
        return Some("does not say what its sha256 promises".to_owned());
    }
    if !numbers.contains(&version.lineage) || !numbers.contains(&version.version) {
        let fault = format!("must have a lineage and a version of 1 to {HIGHEST_NUMBER}");
        return Some(fault);
    }
    None
}

/// The id that a move gets here: the same at every import, also of a move whose time lay ahead and
/// was stored as another. Like all ids, it says when.
fn id_of_move(prompt: &Stored, moved: &ArchivedLabelMove) -> LabelMoveId {
    let micros = moved.moved_at.timestamp_micros().unsigned_abs();
    let mut bytes = prompt.prompt.id.0.as_bytes().to_vec();
    bytes.extend(micros.to_be_bytes());
    bytes.extend(moved.name.as_str().as_bytes());
    let Sha256(hash) = Sha256::of(&bytes);
    let mut rest = [0; 10];
    rest.copy_from_slice(&hash[..10]);
    let within = u16::try_from(micros % 1000).unwrap_or_default();
    rest[..2].copy_from_slice(&within.to_be_bytes());
    let id = uuid::Builder::from_unix_timestamp_millis(micros / 1000, &rest);
    LabelMoveId(id.into_uuid())
}

/// A move of the same label at the same time is the same move.
async fn find_move(
    conn: &mut Connection,
    prompt: &Stored,
    moved: &ArchivedLabelMove,
) -> QueryResult<Option<LabelMoveId>> {
    prompt_label_moves::table
        .filter(prompt_label_moves::prompt_id.eq(prompt.prompt.id))
        .filter(prompt_label_moves::name.eq(&moved.name))
        .filter(
            prompt_label_moves::moved_at
                .eq(moved.moved_at)
                .or(prompt_label_moves::id.eq(id_of_move(prompt, moved))),
        )
        .select(prompt_label_moves::id)
        .first(conn)
        .await
        .optional()
}

async fn versions_here(conn: &mut Connection, prompt: &Stored) -> QueryResult<Here> {
    let rows: Vec<(i32, i32, PromptVersionId, Sha256)> = prompt_versions::table
        .filter(prompt_versions::prompt_id.eq(prompt.prompt.id))
        .select((
            prompt_versions::lineage,
            prompt_versions::version,
            prompt_versions::id,
            prompt_versions::sha256,
        ))
        .load(conn)
        .await?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(lineage, number, id, sha256)| ((lineage, number), (id, sha256)))
        .collect())
}

/// Points the labels of a prompt where they were moved last.
async fn point_again(conn: &mut Connection, prompt: &Stored) -> QueryResult<()> {
    type Last = (LabelName, Option<PromptVersionId>, UserId, DateTime<Utc>);
    let id = prompt.prompt.id;
    let last: Vec<Last> = prompt_label_moves::table
        .filter(prompt_label_moves::prompt_id.eq(id))
        .distinct_on(prompt_label_moves::name)
        .order((
            prompt_label_moves::name,
            prompt_label_moves::moved_at.desc(),
            prompt_label_moves::id.desc(),
        ))
        .select((
            prompt_label_moves::name,
            prompt_label_moves::version_id,
            prompt_label_moves::moved_by,
            prompt_label_moves::moved_at,
        ))
        .load(conn)
        .await?;
    diesel::delete(prompt_labels::table.filter(prompt_labels::prompt_id.eq(id)))
        .execute(conn)
        .await?;
    let rows: Vec<_> = last
        .into_iter()
        .filter_map(|(name, version, by, at)| Some((name, version?, by, at)))
        .map(|(name, version, by, at)| {
            (
                prompt_labels::prompt_id.eq(id),
                prompt_labels::name.eq(name),
                prompt_labels::company_id.eq(prompt.company_id),
                prompt_labels::version_id.eq(version),
                prompt_labels::moved_by.eq(by),
                prompt_labels::moved_at.eq(at),
            )
        })
        .collect();
    diesel::insert_into(prompt_labels::table)
        .values(rows)
        .execute(conn)
        .await
        .map(|_| ())
}
