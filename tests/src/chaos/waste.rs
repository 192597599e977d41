//! Which calls were repetitions, and whether a fault explains them.
//!
//! A text may be embedded once for each document that has it: documents in work at the same time do
//! not wait for each other. A cell's question may be asked once. What goes beyond is a repetition. It is explained if an earlier call
//! for the text was under way when its process was killed, or when a store went away.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use domain::documents::Sha256;

use crate::fakes::gemini::LedgerCall;

/// After its answer a call still has to be stored; it counts as under way for so long. On a busy
/// machine, four calls of one document store a hundred vectors each, one after another.
const STORING: Duration = Duration::from_secs(5);

/// In how many documents each text is.
pub type Documents = HashMap<Sha256, usize>;

/// Something that ends calls.
#[derive(Debug, Clone)]
pub struct Fault {
    /// What happened.
    pub what: &'static str,
    /// Whose calls it may end; everybody's if unsaid.
    pub key: Option<String>,
    /// When it began.
    pub began: Instant,
    /// When it was over.
    pub ended: Instant,
}

impl Fault {
    fn explains(&self, call: &LedgerCall) -> bool {
        let whose = self.key.as_ref().is_none_or(|key| *key == call.key);
        let stored = call.ended.map(|ended| ended + STORING);
        whose && call.began <= self.ended && stored.is_none_or(|stored| stored >= self.began)
    }
}

/// What was embedded how often.
#[derive(Debug, Default, Clone)]
pub struct Waste {
    /// Embedding calls of workers.
    pub calls: usize,
    /// Texts in them.
    pub texts: usize,
    /// Different texts in them.
    pub distinct: usize,
    /// Calls that were under way when their process was killed.
    pub in_flight: usize,
    /// Texts embedded more often than documents have them.
    pub repeated: usize,
    /// The calls that were made in vain and had to be repeated, by what cut them.
    pub in_vain: BTreeMap<&'static str, usize>,
    /// Those of them that no fault explains.
    pub unexplained: usize,
    /// Texts that are in no document.
    pub strange: usize,
}

/// Compares the calls with the passages.
pub fn measure(calls: &[LedgerCall], faults: &[Fault], documents: &Documents) -> Waste {
    let ours: Vec<_> = calls
        .iter()
        .filter(|call| call.key.starts_with("worker-"))
        .collect();
    let mut by_text: HashMap<Sha256, Vec<&LedgerCall>> = HashMap::new();
    for call in &ours {
        for text in &call.texts {
            by_text.entry(*text).or_default().push(call);
        }
    }
    let mut waste = Waste {
        calls: ours.len(),
        texts: by_text.values().map(Vec::len).sum(),
        distinct: by_text.len(),
        in_flight: in_flight(&ours, faults),
        ..Waste::default()
    };
    let mut cut = HashMap::new();
    for (text, calls) in &by_text {
        let Some(allowed) = documents.get(text) else {
            waste.strange += 1;
            continue;
        };
        let repeated = calls.len().saturating_sub(*allowed);
        let explained = calls.iter().filter_map(|call| {
            let fault = faults.iter().find(|fault| fault.explains(call))?;
            Some((std::ptr::from_ref::<LedgerCall>(call), fault.what))
        });
        let explained: Vec<_> = explained.take(repeated).collect();
        waste.repeated += repeated;
        waste.unexplained += repeated - explained.len();
        cut.extend(explained);
    }
    for what in cut.into_values() {
        *waste.in_vain.entry(what).or_default() += 1;
    }
    waste
}

fn in_flight(calls: &[&LedgerCall], faults: &[Fault]) -> usize {
    let cut = |call: &LedgerCall| {
        faults
            .iter()
            .any(|fault| fault.key.as_ref() == Some(&call.key) && call.under_way(fault.began))
    };
    calls.iter().filter(|call| cut(call)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(key: &str, began: Instant, milliseconds: u64, texts: &[&str]) -> LedgerCall {
        LedgerCall {
            key: key.into(),
            began,
            ended: Some(began + Duration::from_millis(milliseconds)),
            texts: texts
                .iter()
                .map(|text| Sha256::of(text.as_bytes()))
                .collect(),
        }
    }

    fn of(documents: &[(&str, usize)]) -> Documents {
        let pairs = documents.iter();
        pairs
            .map(|(text, count)| (Sha256::of(text.as_bytes()), *count))
            .collect()
    }

    #[test]
    fn a_call_cut_by_a_kill_explains_its_repetition_and_no_other() {
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        let calls = [
            call("worker-1", start, 50, &["cut", "fine"]),
            call("worker-2", later(20), 50, &["cut", "fine"]),
            call("worker-2", later(30), 50, &["fine", "shared"]),
            call("worker-3", later(40), 50, &["shared"]),
        ];
        let kill = Fault {
            what: "kill",
            key: Some("worker-1".into()),
            began: start + Duration::from_millis(30),
            ended: start + Duration::from_millis(31),
        };
        let documents = of(&[("cut", 1), ("fine", 1), ("shared", 2)]);
        let waste = measure(&calls, &[kill], &documents);
        assert_eq!((waste.repeated, waste.unexplained), (3, 1));
        assert_eq!((waste.calls, waste.distinct, waste.in_flight), (4, 3, 1));
        assert_eq!(waste.in_vain, BTreeMap::from([("kill", 1)]));
    }
}
