//! Taking templates in. Only leads write templates, by an import too.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    templates::{TemplateId, TemplateVersionId},
    users::Role,
};
use uuid::Uuid;

use super::{
    super::{NewTemplate, Template, find, keep, living, templates, versions},
    ArchivedTemplate, ArchivedTemplateVersion,
};
use crate::{
    Connection,
    archive::{HIGHEST_NUMBER, Import, Outcome, derived, free_ids, now_at_most},
};

/// What the import calls the rows.
const AREA: &str = "templates";

/// What the import calls the versions.
const VERSIONS: &str = "templateVersions";

/// A template with what belongs to it.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Its place in its file.
    pub index: usize,
    /// The template.
    pub row: ArchivedTemplate,
    /// Its versions, each with its place.
    pub versions: Vec<(usize, ArchivedTemplateVersion)>,
}

/// Takes a template in.
pub(crate) async fn take_in(
    conn: &mut Connection,
    import: &mut Import<'_>,
    imported: Imported,
) -> QueryResult<()> {
    let Imported {
        index,
        mut row,
        versions: parts,
    } = imported;
    let there = row.id;
    let Some(found) = place(conn, import, index, &mut row).await? else {
        return Ok(());
    };
    import.templates.hold(there.0, row.id.0);
    if is_name_taken(conn, import.viewer, &row).await? {
        let message = "another template here has its name";
        import.report.fault(AREA, index, message);
        return Ok(());
    }
    if let Some(found) = found {
        merge(conn, import, (index, &row, &parts), found).await
    } else {
        create(conn, import, (index, &row, &parts)).await
    }
}

/// The row under the id that it has here, which goes into `row`; `None` if there is no place for it.
async fn place(
    conn: &mut Connection,
    import: &mut Import<'_>,
    index: usize,
    row: &mut ArchivedTemplate,
) -> QueryResult<Option<Option<Template>>> {
    for id in [row.id, TemplateId(derived(import.viewer, row.id.0))] {
        let taken: Option<TemplateId> = templates::table
            .find(id)
            .select(templates::id)
            .for_update()
            .first(conn)
            .await
            .optional()?;
        let found = find(conn, import.viewer, id).await.optional()?;
        if taken.is_none() || found.is_some() {
            row.id = id;
            return Ok(Some(found));
        }
    }
    import.report.fault(AREA, index, "has an id that is taken");
    Ok(None)
}

async fn is_name_taken(
    conn: &mut Connection,
    viewer: &Viewer,
    row: &ArchivedTemplate,
) -> QueryResult<bool> {
    let others: i64 = templates::table
        .filter(living(viewer.company_id))
        .filter(templates::name.eq(&row.name))
        .filter(templates::id.ne(row.id))
        .count()
        .get_result(conn)
        .await?;
    Ok(others > 0)
}

/// A row with its place, and its parts with theirs.
type Whole<'a> = (
    usize,
    &'a ArchivedTemplate,
    &'a [(usize, ArchivedTemplateVersion)],
);

/// Whether the viewer writes templates; if not, it is said.
fn must_write(import: &mut Import<'_>, area: &'static str, index: usize) -> bool {
    let may = import.viewer.role >= Role::Lead;
    if !may {
        let message = "is new here or differs, and only leads write templates";
        import.report.fault(area, index, message);
    }
    may
}

async fn create(
    conn: &mut Connection,
    import: &mut Import<'_>,
    (index, row, parts): Whole<'_>,
) -> QueryResult<()> {
    if !must_write(import, AREA, index) {
        return Ok(());
    }
    let Some(newest) = newest(row, parts) else {
        let message = "does not say what its newest version says";
        import.report.fault(AREA, index, message);
        return Ok(());
    };
    let ids = ids_of(conn, import, parts).await?;
    diesel::insert_into(templates::table)
        .values((
            templates::id.eq(row.id),
            templates::company_id.eq(import.viewer.company_id),
            templates::creator_id.eq(import.person(row.creator_id)),
            templates::name.eq(&row.name),
            templates::body_md.eq(&row.body_md),
            templates::lint.eq(&row.lint),
            templates::version.eq(row.version),
            templates::version_id.eq(TemplateVersionId(ids[&newest.0])),
            templates::created_at.eq(now_at_most(row.created_at)),
        ))
        .execute(conn)
        .await?;
    let mut numbers = HashSet::new();
    for (place, part) in parts {
        if numbers.insert(part.version) {
            insert(conn, import, row.id, (*place, part), &ids).await?;
        } else {
            let message = "has the number of an earlier one";
            import.report.fault(VERSIONS, *place, message);
        }
    }
    import.report.row(AREA, index, row.id.0, Outcome::Created);
    Ok(())
}

/// The ids that versions get here if they are new.
async fn ids_of(
    conn: &mut Connection,
    import: &Import<'_>,
    parts: &[(usize, ArchivedTemplateVersion)],
) -> QueryResult<HashMap<Uuid, Uuid>> {
    let wanted: Vec<Uuid> = parts.iter().map(|(_, part)| part.id.0).collect();
    free_ids(conn, import.viewer, "prompt_template_versions", &wanted).await
}

async fn insert(
    conn: &mut Connection,
    import: &mut Import<'_>,
    template: TemplateId,
    (place, part): (usize, &ArchivedTemplateVersion),
    ids: &HashMap<Uuid, Uuid>,
) -> QueryResult<()> {
    if !(1..=HIGHEST_NUMBER).contains(&part.version) {
        let message = format!("must have a version of 1 to {HIGHEST_NUMBER}");
        import.report.fault(VERSIONS, place, message);
        return Ok(());
    }
    let id = ids[&part.id.0];
    diesel::insert_into(versions::table)
        .values((
            versions::id.eq(id),
            versions::company_id.eq(import.viewer.company_id),
            versions::template_id.eq(template),
            versions::version.eq(part.version),
            versions::body_md.eq(&part.body_md),
            versions::lint.eq(&part.lint),
            versions::created_by.eq(import.person(part.created_by)),
            versions::created_at.eq(now_at_most(part.created_at)),
        ))
        .execute(conn)
        .await?;
    import.report.row(VERSIONS, place, id, Outcome::Created);
    Ok(())
}

/// A template that is here: versions that it lacks are added, and it says what the import says.
async fn merge(
    conn: &mut Connection,
    import: &mut Import<'_>,
    (index, row, parts): Whole<'_>,
    found: Template,
) -> QueryResult<()> {
    let ids = ids_of(conn, import, parts).await?;
    for (place, part) in parts {
        merge_version(conn, import, row.id, (*place, part), &ids).await?;
    }
    let (mut version, mut version_id) = versions::table
        .filter(versions::template_id.eq(row.id))
        .order(versions::version.desc())
        .select((versions::version, versions::id))
        .first::<(i32, TemplateVersionId)>(conn)
        .await?;
    let says_so = found.body_md == row.body_md && found.lint == row.lint;
    if says_so && found.summary.name == row.name && version == found.summary.version {
        let id = row.id.0;
        import.report.row(AREA, index, id, Outcome::Unchanged);
        return Ok(());
    }
    if !must_write(import, AREA, index) {
        return Ok(());
    }
    if version > row.version && !says_so {
        // It went on since: what the import says is its newest state, and a version of its own.
        (version, version_id) = (version + 1, TemplateVersionId::new());
        let says = NewTemplate {
            name: row.name.clone(),
            body_md: row.body_md.clone(),
            lint: row.lint.clone(),
        };
        keep(conn, import.viewer, row.id, (version, version_id), &says).await?;
    } else if version <= row.version && newest(row, parts).is_none() {
        let message = "does not say what its newest version says";
        import.report.fault(AREA, index, message);
        return Ok(());
    }
    diesel::update(templates::table.find(row.id))
        .set((
            templates::name.eq(&row.name),
            templates::body_md.eq(&row.body_md),
            templates::lint.eq(&row.lint),
            templates::version.eq(version),
            templates::version_id.eq(version_id),
        ))
        .execute(conn)
        .await?;
    import.report.row(AREA, index, row.id.0, Outcome::Updated);
    Ok(())
}

async fn merge_version(
    conn: &mut Connection,
    import: &mut Import<'_>,
    template: TemplateId,
    (place, part): (usize, &ArchivedTemplateVersion),
    ids: &HashMap<Uuid, Uuid>,
) -> QueryResult<()> {
    let here: Option<ArchivedTemplateVersion> = versions::table
        .filter(versions::template_id.eq(template))
        .filter(versions::version.eq(part.version))
        .select(ArchivedTemplateVersion::as_select())
        .first(conn)
        .await
        .optional()?;
    match here {
        Some(here) if here.body_md == part.body_md && here.lint == part.lint => {
            let id = here.id.0;
            import.report.row(VERSIONS, place, id, Outcome::Unchanged);
        }
        Some(_) => {
            let message = "differs from the version of this number here";
            import.report.fault(VERSIONS, place, message);
        }
        None if must_write(import, VERSIONS, place) => {
            insert(conn, import, template, (place, part), ids).await?;
        }
        None => {}
    }
    Ok(())
}

/// The version that a template says.
fn newest(
    row: &ArchivedTemplate,
    parts: &[(usize, ArchivedTemplateVersion)],
) -> Option<TemplateVersionId> {
    let highest = parts
        .iter()
        .map(|(_, part)| part)
        .max_by_key(|part| part.version)?;
    let is_it = highest.version == row.version
        && highest.body_md == row.body_md
        && highest.lint == row.lint;
    is_it.then_some(highest.id)
}
