//! Taking in what somebody may have, all of it or nothing, in one transaction. Rows come one by one
//! with what belongs to them; nothing of an import is held here but its ids and its report.

use std::collections::{HashMap, HashSet};

use diesel::{prelude::*, result::Error::RollbackTransaction};
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use domain::{
    auth::Viewer,
    users::{Email, Role, UserId},
};
use futures::{StreamExt as _, channel::mpsc};

use super::{ArchivedPerson, Held, Report};
use crate::{
    Connection, datasets, documents, outputs, prompts, requests, schema::users, templates,
    workflows,
};

/// A row to be taken in, with all that belongs to it.
#[derive(Debug, Clone)]
pub enum Bundle {
    /// Those whom the others name.
    People(Vec<ArchivedPerson>),
    /// A template.
    Template(templates::archive::Imported),
    /// A request.
    Request(requests::archive::Imported),
    /// A prompt.
    Prompt(Box<prompts::archive::Imported>),
    /// A document.
    Document(documents::archive::Imported),
    /// A workflow.
    Workflow(Box<workflows::archive::Imported>),
    /// A dataset; its rows follow.
    Dataset(datasets::archive::Imported),
    /// Some rows of the dataset before.
    DatasetRows(Vec<(usize, datasets::archive::ArchivedRow)>),
    /// The end of these rows.
    DatasetEnd,
    /// An output.
    Output(outputs::archive::Imported),
}

/// An import as far as it has come.
#[derive(Debug)]
pub struct Import<'a> {
    /// Who imports.
    pub(crate) viewer: &'a Viewer,
    /// What became of the rows.
    pub(crate) report: Report,
    /// Whether nothing will stand of it.
    pub(crate) is_tried: bool,
    people: HashMap<UserId, UserId>,
    pub(crate) templates: Held,
    pub(crate) requests: Held,
    pub(crate) prompts: Held,
    pub(crate) versions: Held,
    pub(crate) documents: Held,
    pub(crate) dataset: Option<datasets::archive::Coming>,
}

impl<'a> Import<'a> {
    fn by(viewer: &'a Viewer, is_tried: bool) -> Self {
        Self {
            viewer,
            is_tried,
            report: Report::default(),
            people: HashMap::new(),
            templates: Held::default(),
            requests: Held::default(),
            prompts: Held::default(),
            versions: Held::default(),
            documents: Held::default(),
            dataset: None,
        }
    }

    /// Who made something: whom an admin's file names. What others' files say is not taken on trust,
    /// or anybody could put words into a colleague's mouth.
    pub(crate) fn person(&self, id: UserId) -> UserId {
        self.known(id).unwrap_or(self.viewer.user_id)
    }

    /// Whom an admin's file names, if they are of the company.
    pub(crate) fn known(&self, id: UserId) -> Option<UserId> {
        let known = self.people.get(&id).copied();
        known.filter(|_| self.is_trusted())
    }

    /// Whether what the file says of people and of the past is believed.
    pub(crate) fn is_trusted(&self) -> bool {
        self.viewer.role == Role::Admin
    }

    /// Whether the bytes of a new row are stored; if not, it is said.
    pub(crate) fn has_bytes(&mut self, area: &'static str, index: usize, has: bool) -> bool {
        if !has && !self.is_tried {
            let message = "was deleted here in the meantime: import it again";
            self.report.fault(area, index, message);
        }
        has || self.is_tried
    }

    async fn take_in(&mut self, conn: &mut Connection, bundle: Bundle) -> QueryResult<()> {
        match bundle {
            Bundle::People(people) => self.meet(conn, people).await,
            Bundle::Template(row) => templates::archive::take_in(conn, self, row).await,
            Bundle::Request(row) => requests::archive::take_in(conn, self, row).await,
            Bundle::Prompt(row) => prompts::archive::take_in(conn, self, *row).await,
            Bundle::Document(row) => documents::archive::take_in(conn, self, row).await,
            Bundle::Workflow(row) => workflows::archive::take_in(conn, self, *row).await,
            Bundle::Dataset(row) => datasets::archive::begin(conn, self, row).await,
            Bundle::DatasetRows(rows) => datasets::archive::add(conn, self, rows).await,
            Bundle::DatasetEnd => datasets::archive::end(conn, self).await,
            Bundle::Output(row) => outputs::archive::take_in(conn, self, row).await,
        }
    }

    /// Finds out who is known here: by their address, or by their id if they are of the company.
    async fn meet(
        &mut self,
        conn: &mut Connection,
        people: Vec<ArchivedPerson>,
    ) -> QueryResult<()> {
        let here: Vec<(UserId, Email)> = users::table
            .filter(users::company_id.eq(self.viewer.company_id))
            .select((users::id, users::email))
            .load(conn)
            .await?;
        let ids: HashSet<UserId> = here.iter().map(|(id, _)| *id).collect();
        let addresses: HashMap<&str, UserId> = here
            .iter()
            .map(|(id, email)| (email.as_str(), *id))
            .collect();
        self.people.extend(ids.into_iter().map(|id| (id, id)));
        for person in people {
            if let Some(here) = addresses.get(person.email.as_str()) {
                self.people.insert(person.id, *here);
            }
        }
        Ok(())
    }
}

/// Takes everything in, or, with faults or for trying only, nothing; says what became or would
/// become of each row. `None` is the end of the rows: if they end without it, their reading broke off.
pub async fn import(
    conn: &mut Connection,
    viewer: &Viewer,
    mut from: mpsc::Receiver<Option<Bundle>>,
    only_try: bool,
) -> QueryResult<Report> {
    let mut import = Import::by(viewer, only_try);
    let taken = conn
        .transaction(async |conn| {
            // A dataset is compared and stored as a whole.
            conn.batch_execute("SET LOCAL statement_timeout = '10min'")
                .await?;
            while let Some(bundle) = from.next().await.ok_or_else(broken_off)? {
                import.take_in(conn, bundle).await?;
            }
            if only_try || !import.report.faults.is_empty() {
                return Err(RollbackTransaction);
            }
            Ok(())
        })
        .await;
    let mut report = import.report;
    report.sort();
    match taken {
        Err(RollbackTransaction) if only_try || !report.faults.is_empty() => Ok(report),
        taken => taken.map(|()| report),
    }
}

fn broken_off() -> diesel::result::Error {
    diesel::result::Error::DeserializationError("the rows of an import broke off".into())
}
