//! Templates that were read, in the memory of this process. They are kept by the id of their version,
//! which never changes: so nothing has to be forgotten when a template changes, here or elsewhere.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use db::templates::Template;
use domain::templates::{Body, Finding, TemplateVersionId, lint};

/// How long one is kept after it was last asked for.
const KEPT: Duration = Duration::from_secs(600);

/// The most bytes of bodies, of which what was read is a few times as large.
const MOST_BYTES: usize = 4 << 20;

/// The most templates.
const MOST: usize = 500;

/// A template that was read.
#[derive(Debug)]
pub struct Ready {
    /// What it says.
    pub body: Body,
    /// The values that it uses.
    pub placeholders: Vec<String>,
    bytes: usize,
}

impl Ready {
    fn of(template: &Template) -> Result<Self, Vec<Finding>> {
        let text = template.body_md.as_str();
        Ok(Self {
            body: Body::read(text)?,
            placeholders: lint(&template.body_md, &template.lint).placeholders,
            bytes: text.len(),
        })
    }
}

#[derive(Debug)]
struct Place {
    ready: Arc<Ready>,
    asked: Instant,
}

/// Templates that were read.
#[derive(Debug, Default)]
pub struct Shelf(Mutex<HashMap<TemplateVersionId, Place>>);

impl Shelf {
    /// A template, read now unless it was before.
    pub fn ready(&self, template: &Template) -> Result<Arc<Ready>, Vec<Finding>> {
        let (id, now) = (template.summary.version_id, Instant::now());
        if let Some(ready) = self.take(id, now) {
            return Ok(ready);
        }
        let ready = Arc::new(Ready::of(template)?);
        self.keep(id, ready.clone(), now);
        Ok(ready)
    }

    fn take(&self, id: TemplateVersionId, now: Instant) -> Option<Arc<Ready>> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.get_mut(&id)?;
        place.asked = now;
        Some(place.ready.clone())
    }

    fn keep(&self, id: TemplateVersionId, ready: Arc<Ready>, now: Instant) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|_, place| now.duration_since(place.asked) < KEPT);
        let bytes = |places: &HashMap<_, Place>| -> usize {
            places.values().map(|place| place.ready.bytes).sum()
        };
        while places.len() >= MOST || bytes(&places) + ready.bytes > MOST_BYTES {
            let oldest = places.iter().min_by_key(|(_, place)| place.asked);
            let Some(oldest) = oldest.map(|(id, _)| *id) else {
                break;
            };
            places.remove(&oldest);
        }
        places.insert(id, Place { ready, asked: now });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(bytes: usize) -> Arc<Ready> {
        Arc::new(Ready {
            body: Body::read("x").expect("a body"),
            placeholders: Vec::new(),
            bytes,
        })
    }

    #[test]
    fn the_oldest_makes_room_and_nothing_is_kept_for_ever() {
        let (shelf, start) = (Shelf::default(), Instant::now());
        let ids: Vec<_> = (0..3).map(|_| TemplateVersionId::new()).collect();
        shelf.keep(ids[0], ready(MOST_BYTES / 2), start);
        shelf.keep(
            ids[1],
            ready(MOST_BYTES / 2),
            start + Duration::from_secs(1),
        );
        shelf
            .take(ids[0], start + Duration::from_secs(2))
            .expect("it is kept");
        shelf.keep(ids[2], ready(1), start + Duration::from_secs(3));
        let is_kept = |id| shelf.take(id, start + Duration::from_secs(4)).is_some();
        assert_eq!(
            ids.iter().map(|id| is_kept(*id)).collect::<Vec<_>>(),
            [true, false, true]
        );
        shelf.keep(ids[1], ready(1), start + KEPT * 2);
        assert_eq!(shelf.0.lock().expect("no panic").len(), 1);
        for _ in 0..2 * MOST {
            shelf.keep(TemplateVersionId::new(), ready(1), start + KEPT * 2);
        }
        assert_eq!(shelf.0.lock().expect("no panic").len(), MOST);
    }
}
