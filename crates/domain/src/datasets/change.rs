//! What is done to rows by hand: which of them are added, changed and deleted, and what comes of it.

use std::collections::{BTreeMap, HashSet};

use super::{Cells, Limits};

/// Values by their columns; `None` takes a value away.
pub type Members = BTreeMap<String, Option<String>>;

/// Changes of rows that belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowChanges {
    /// Rows to come; columns that are not named have no value.
    pub add: Vec<Members>,
    /// Rows by their index, with the values that change.
    pub change: Vec<(i32, Members)>,
    /// Rows to go, by their index.
    pub delete: Vec<i32>,
}

/// What is wrong with a change, and at which member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeFault {
    /// Where it is, as `rows.add[0].name`.
    pub field: String,
    /// What is wrong there.
    pub message: String,
}

/// What comes of changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// Rows that go.
    pub deleted: Vec<i32>,
    /// Rows that are other than before.
    pub altered: Vec<(i32, Cells)>,
    /// Rows that come.
    pub added: Vec<Cells>,
}

impl Changed {
    /// Whether everything stays as it is.
    pub fn is_nothing(&self) -> bool {
        self.deleted.is_empty() && self.altered.is_empty() && self.added.is_empty()
    }
}

impl RowChanges {
    /// The rows that have to be known.
    pub fn named(&self) -> Vec<i32> {
        let changed = self.change.iter().map(|(index, _)| *index);
        changed.chain(self.delete.iter().copied()).collect()
    }

    /// What comes of the changes, or everything that is wrong with them. `known` are those of the
    /// [`Self::named`] rows that there are.
    pub fn onto(
        self,
        headers: &[String],
        mut known: BTreeMap<i32, Cells>,
        limits: &Limits,
    ) -> Result<Changed, Vec<ChangeFault>> {
        let mut faults = Faults::default();
        let mut changed = Changed::default();
        let mut named = HashSet::new();
        for (place, members) in self.add.into_iter().enumerate() {
            let mut cells = vec![None; headers.len()];
            let field = format!("rows.add[{place}]");
            faults.set(&field, &mut cells, headers, members, limits);
            changed.added.push(cells);
        }
        for (place, (index, members)) in self.change.into_iter().enumerate() {
            let field = format!("rows.change[{place}]");
            if let Some(before) = faults.take(&field, index, &mut known, &mut named) {
                let mut cells = before.clone();
                faults.set(
                    &format!("{field}.values"),
                    &mut cells,
                    headers,
                    members,
                    limits,
                );
                if cells != before {
                    changed.altered.push((index, cells));
                }
            }
        }
        for (place, index) in self.delete.into_iter().enumerate() {
            let field = format!("rows.delete[{place}]");
            if faults.take(&field, index, &mut known, &mut named).is_some() {
                changed.deleted.push(index);
            }
        }
        if faults.0.is_empty() {
            Ok(changed)
        } else {
            Err(faults.0)
        }
    }
}

#[derive(Default)]
struct Faults(Vec<ChangeFault>);

impl Faults {
    fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(ChangeFault {
            field: field.to_owned(),
            message: message.into(),
        });
    }

    /// The row as it stands, if it is there and named for the first time.
    fn take(
        &mut self,
        field: &str,
        index: i32,
        known: &mut BTreeMap<i32, Cells>,
        named: &mut HashSet<i32>,
    ) -> Option<Cells> {
        if !named.insert(index) {
            self.add(field, format!("names row {index} once more"));
            return None;
        }
        let row = known.remove(&index);
        if row.is_none() {
            self.add(field, format!("there is no row {index}"));
        }
        row
    }

    fn set(
        &mut self,
        field: &str,
        cells: &mut Cells,
        headers: &[String],
        members: Members,
        limits: &Limits,
    ) {
        for (name, value) in members {
            let place = headers.iter().position(|header| *header == name);
            let Some(cell) = place.and_then(|place| cells.get_mut(place)) else {
                self.add(&format!("{field}.{name}"), "is no column of this dataset");
                continue;
            };
            if let Some(fault) = value.as_deref().and_then(|text| value_fault(text, limits)) {
                self.add(&format!("{field}.{name}"), fault);
            }
            *cell = value;
        }
        let bytes: usize = cells.iter().flatten().map(String::len).sum();
        if bytes > limits.row_bytes {
            let most = limits.row_bytes;
            self.add(field, format!("must have at most {most} bytes"));
        }
    }
}

fn value_fault(text: &str, limits: &Limits) -> Option<String> {
    let most = limits.value_bytes;
    if text.contains('\0') {
        return Some("must not contain the NUL character".into());
    }
    (text.len() > most).then(|| format!("must have at most {most} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        rows: 9,
        columns: 9,
        value_bytes: 4,
        row_bytes: 6,
    };

    fn members(pairs: &[(&str, Option<&str>)]) -> Members {
        let own =
            |(name, value): &(&str, Option<&str>)| ((*name).to_owned(), value.map(str::to_owned));
        pairs.iter().map(own).collect()
    }

    fn apply(changes: RowChanges) -> Result<Changed, Vec<ChangeFault>> {
        let headers = ["a".to_owned(), "b".to_owned()];
        let row = |a: &str| vec![Some(a.to_owned()), None];
        let known = BTreeMap::from([(0, row("x")), (4, row("y"))]);
        changes.onto(&headers, known, &LIMITS)
    }

    #[test]
    fn a_value_that_stays_is_no_change() {
        let change = vec![
            (0, members(&[("a", Some("x"))])),
            (4, members(&[("b", None)])),
        ];
        let changed = apply(RowChanges {
            change,
            ..RowChanges::default()
        });
        assert!(changed.expect("no faults").is_nothing());
    }

    #[test]
    fn members_that_are_not_named_stay() {
        let changed = apply(RowChanges {
            add: vec![members(&[("b", Some("new"))])],
            change: vec![(0, members(&[("b", Some("1"))]))],
            delete: vec![4],
        })
        .expect("no faults");
        assert_eq!(changed.added, [[None, Some("new".into())]]);
        assert_eq!(
            changed.altered,
            [(0, vec![Some("x".into()), Some("1".into())])]
        );
        assert_eq!(changed.deleted, [4]);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let faults = apply(RowChanges {
            add: vec![
                members(&[("z", None), ("a", Some("12345"))]),
                members(&[("a", Some("1234")), ("b", Some("567"))]),
                members(&[("a", Some("\0"))]),
            ],
            change: vec![(0, members(&[("q", None)])), (7, Members::new())],
            delete: vec![0, 4, 4],
        })
        .expect_err("faults");
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "rows.add[0].a",
                "rows.add[0].z",
                "rows.add[1]",
                "rows.add[2].a",
                "rows.change[0].values.q",
                "rows.change[1]",
                "rows.delete[0]",
                "rows.delete[2]",
            ]
        );
    }
}
