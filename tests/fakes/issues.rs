//! What the fakes of trackers keep: issues that people change, delete and move, and a search that
//! learns of it late. Time stands still until a test moves it.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Duration, FixedOffset, SubsecRound, Utc};
use domain::trackers::hooks;
use serde_json::Value;

/// People of every world, the first of whom is asking: id, name, address if it is shown.
pub const PEOPLE: [(u32, &str, Option<&str>); 3] = [
    (11, "Ann Drake", Some("ann@example.com")),
    (12, "Bob Mallard", Some("bob@example.com")),
    (13, "Carla Teal", None),
];

/// Something that happens after each search, to which the number of searches so far is told.
type Meanwhile = Box<dyn FnMut(&mut World, usize) + Send>;

/// All there is.
pub struct World {
    /// The tracker's time.
    pub now: DateTime<Utc>,
    /// How late the search learns of changes.
    pub lag: Duration,
    /// The zone of whoever asks, in which dates without one are read and times are written.
    pub zone: FixedOffset,
    /// So many rows to a page at most, whatever was asked for and however many follow.
    pub short: Option<usize>,
    /// How finely the search tells times apart, in milliseconds.
    pub grain: i64,
    /// Issues that no search shows.
    pub unlisted: BTreeSet<u64>,
    /// Issues that are refused to who asks for them by their ids.
    pub forbidden: BTreeSet<u64>,
    rows: BTreeMap<u64, Row>,
    numbers: BTreeMap<String, u64>,
    /// The keys of each project, the present one last.
    projects: Vec<Vec<String>>,
    meanwhile: Option<Meanwhile>,
    searches: usize,
}

/// An issue.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its id, for ever.
    pub id: u64,
    /// Its present key.
    pub key: String,
    /// Keys that it had.
    pub old_keys: Vec<String>,
    /// The id of its project.
    pub project_id: usize,
    /// All keys that its project ever had.
    pub project_keys: Vec<String>,
    /// Its title.
    pub title: String,
    /// What it says, a paragraph a line.
    pub text: String,
    /// Lines of acceptance criteria.
    pub criteria: Vec<String>,
    /// Its state: name and category, as Jira has them.
    pub status: (&'static str, &'static str),
    /// How urgent it is.
    pub priority: &'static str,
    /// Its labels.
    pub labels: Vec<String>,
    /// Who works on it, as a place among [`PEOPLE`].
    pub assignee: Option<usize>,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
    /// When it last changed, as far as the search knows; nothing if it does not know of it.
    known: Option<DateTime<Utc>>,
    /// What the search will learn, and when.
    coming: VecDeque<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Row {
    /// The project of its key.
    pub fn project(&self) -> &str {
        self.key.split('-').next().unwrap_or_default()
    }

    /// When it last changed, as far as the search knows.
    pub fn known(&self) -> Option<DateTime<Utc>> {
        self.known
    }
}

impl World {
    fn new(now: DateTime<Utc>) -> Self {
        Self {
            now,
            lag: Duration::zero(),
            zone: FixedOffset::east_opt(0).expect("an offset"),
            short: None,
            grain: 1,
            unlisted: BTreeSet::new(),
            forbidden: BTreeSet::new(),
            rows: BTreeMap::new(),
            numbers: BTreeMap::new(),
            projects: Vec::new(),
            meanwhile: None,
            searches: 0,
        }
    }

    /// Adds so many issues to a project, all of long ago, of which one changed every so often until a
    /// day ago. The search knows them.
    pub fn populate(&mut self, project: &str, count: u32, every: Duration) {
        let newest = self.now - Duration::days(1);
        let now = self.now;
        for number in (0..count).rev() {
            let age = i32::try_from(number).expect("not that many");
            self.now = (newest - every * age).trunc_subsecs(0);
            let id = self.create(project, &format!("Issue number {number}"));
            let row = self.rows.get_mut(&id).expect("it was made");
            row.coming.clear();
            row.known = Some(row.updated);
        }
        self.now = now;
    }

    /// Makes an issue.
    pub fn create(&mut self, project: &str, title: &str) -> u64 {
        let id = self.rows.last_key_value().map_or(10_001, |(id, _)| id + 1);
        let key = self.next_key(project);
        let (project_id, project_keys) = self.project(project);
        let row = Row {
            id,
            key,
            old_keys: Vec::new(),
            project_id,
            project_keys,
            title: title.into(),
            text: format!("What is to be done about {title}.\nAnd why."),
            criteria: vec!["It is done".into()],
            status: ("To Do", "new"),
            priority: "Medium",
            labels: vec!["ponds".into()],
            assignee: None,
            created: self.now,
            updated: self.now,
            known: None,
            coming: VecDeque::from([(self.now + self.lag, self.now)]),
        };
        self.rows.insert(id, row);
        id
    }

    /// Changes an issue, now.
    pub fn change(&mut self, id: u64, change: impl FnOnce(&mut Row)) {
        let (now, seen) = (self.now, self.now + self.lag);
        let row = self.rows.get_mut(&id).expect("there is such an issue");
        change(row);
        row.updated = now;
        row.coming.push_back((seen, now));
    }

    /// Gives an issue another title, now.
    pub fn retitle(&mut self, id: u64, title: &str) {
        self.change(id, |row| row.title = title.into());
    }

    /// Moves an issue to another project, where it gets another key; the old one still leads to it.
    pub fn relocate(&mut self, id: u64, project: &str) {
        let key = self.next_key(project);
        let (project_id, project_keys) = self.project(project);
        self.change(id, |row| {
            row.old_keys.push(std::mem::replace(&mut row.key, key));
            (row.project_id, row.project_keys) = (project_id, project_keys);
        });
    }

    /// Gives a project another key, and with it its issues, of which none counts as changed. The old one
    /// still leads to it.
    pub fn rename(&mut self, project: &str, key: &str) {
        let (id, mut keys) = self.project(project);
        keys.push(key.to_owned());
        self.projects[id].clone_from(&keys);
        for row in self.rows.values_mut().filter(|row| row.project_id == id) {
            let number = row.key.rsplit('-').next().expect("a number").to_owned();
            let key = format!("{key}-{number}");
            row.old_keys.push(std::mem::replace(&mut row.key, key));
            row.project_keys.clone_from(&keys);
        }
    }

    /// Moves an issue out of sight: no search shows it, and it is refused to who asks for it.
    pub fn hide(&mut self, id: u64) {
        self.unlisted.insert(id);
        self.forbidden.insert(id);
    }

    /// Deletes an issue. Nothing is left of it.
    pub fn delete(&mut self, id: u64) {
        self.rows.remove(&id).expect("there is such an issue");
    }

    /// Lets time go by.
    pub fn wait(&mut self, time: Duration) {
        self.now += time;
    }

    /// From now on this happens after each search.
    pub fn meanwhile(&mut self, happens: impl FnMut(&mut Self, usize) + Send + 'static) {
        self.meanwhile = Some(Box::new(happens));
    }

    /// All issues by id.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// The issue of this id, key or former key.
    pub fn find(&self, name: &str) -> Option<&Row> {
        let id = name.parse().ok().and_then(|id: u64| self.rows.get(&id));
        let is = |key: &String| key.eq_ignore_ascii_case(name);
        id.or_else(|| {
            self.rows
                .values()
                .find(|row| is(&row.key) || row.old_keys.iter().any(is))
        })
    }

    /// The search learns what it is to know by now.
    pub fn learn(&mut self) {
        let (now, grain) = (self.now, self.grain);
        for row in self.rows.values_mut() {
            while row.coming.front().is_some_and(|(seen, _)| *seen <= now) {
                let (_, updated) = row.coming.pop_front().expect("there is one");
                let milliseconds = updated.timestamp_millis();
                let rough = milliseconds - milliseconds.rem_euclid(grain);
                row.known = DateTime::from_timestamp_millis(rough);
            }
        }
    }

    /// What the search knows of.
    pub fn known(&self) -> impl Iterator<Item = &Row> {
        let is_listed = |row: &&Row| row.known.is_some() && !self.unlisted.contains(&row.id);
        self.rows.values().filter(is_listed)
    }

    /// A search has been answered: what happens meanwhile happens.
    pub fn searched(&mut self) {
        self.searches += 1;
        if let Some(mut meanwhile) = self.meanwhile.take() {
            meanwhile(self, self.searches);
            self.meanwhile.get_or_insert(meanwhile);
        }
    }

    /// The id of a project and all keys that it ever had.
    fn project(&mut self, key: &str) -> (usize, Vec<String>) {
        let has = |keys: &Vec<String>| keys.iter().any(|one| one == key);
        let id = self.projects.iter().position(has).unwrap_or_else(|| {
            self.projects.push(vec![key.to_owned()]);
            self.projects.len() - 1
        });
        (id, self.projects[id].clone())
    }

    fn next_key(&mut self, project: &str) -> String {
        let number = self.numbers.entry(project.to_owned()).or_default();
        *number += 1;
        format!("{project}-{number}")
    }
}

/// A world that a fake and its test share.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<World>>);

impl Shared {
    /// An empty world at this time.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(World::new(now))))
    }

    /// The world, to look at and to change; the fake waits meanwhile.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tracker's time.
    pub fn now(&self) -> DateTime<Utc> {
        self.world().now
    }
}

/// A webhook as it is sent.
#[derive(Debug, Clone)]
pub struct Hook {
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: String,
}

impl Hook {
    /// Unsigned, with this body.
    pub fn unsigned(body: &Value) -> Self {
        Self {
            headers: vec![("content-type", "application/json".into())],
            body: body.to_string(),
        }
    }

    /// Signed in this header, behind this prefix.
    #[must_use]
    pub fn signed(mut self, header: &'static str, prefix: &str, secret: &str) -> Self {
        let figures = hooks::signature(secret, self.body.as_bytes());
        self.headers.push((header, format!("{prefix}{figures}")));
        self
    }
}
