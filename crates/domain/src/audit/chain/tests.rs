use proptest::prelude::*;

use super::*;

/// Entries of one chain, as the database would have made them.
fn entries(texts: &[Option<String>]) -> Vec<Entry> {
    let mut last = Link::START;
    let mut entry = |text: &Option<String>| {
        let mut entry = Entry {
            company_id: Uuid::nil(),
            number: last.number + 1,
            at: DateTime::UNIX_EPOCH,
            actor_kind: "user".into(),
            actor_id: Some(Uuid::nil()),
            actor_name: "Ada".into(),
            api_key_id: None,
            ip: text.clone(),
            user_agent: None,
            request_id: text.clone(),
            action: "created".into(),
            entity: "prompt".into(),
            entity_id: "1".into(),
            before: None,
            after: Some("{}".into()),
            previous: last.hash.to_vec(),
            hash: Vec::new(),
        };
        let hash = entry.digest();
        entry.hash = hash.to_vec();
        last = Link {
            number: entry.number,
            hash,
        };
        entry
    };
    texts.iter().map(&mut entry).collect()
}

fn head(entries: &[Entry]) -> Link {
    entries.last().map_or(Link::START, |entry| Link {
        number: entry.number,
        hash: entry.digest(),
    })
}

fn check(entries: &[Entry], head: &Link, noted: Option<Link>) -> Result<(), Broken> {
    let mut chain = Chain::from(Link::START, noted)?;
    for entry in entries {
        chain.follow(entry)?;
    }
    chain.end(head)
}

fn broken(number: usize, reason: Reason) -> Result<(), Broken> {
    let number = i64::try_from(number).expect("a small number");
    Err(Broken { number, reason })
}

#[test]
fn a_text_of_two_fields_is_no_text_of_others() {
    let [mut one, mut other] = [(); 2].map(|()| entries(&[None]).remove(0));
    (one.ip, one.user_agent) = (Some("a".into()), Some("b\n1:c".into()));
    (other.ip, other.user_agent) = (Some("a\n1:b".into()), Some("c".into()));
    assert_ne!(one.digest(), other.digest());
    (one.ip, other.ip) = (Some("-".into()), None);
    other.user_agent.clone_from(&one.user_agent);
    assert_ne!(one.digest(), other.digest());
}

#[test]
fn an_end_that_was_cut_off_shows_against_what_was_noted() {
    let all = entries(&[None, None, None, None]);
    let (noted, rest) = (head(&all), &all[..2]);
    assert_eq!(check(&all, &noted, Some(noted)), Ok(()));
    assert_eq!(check(rest, &head(rest), None), Ok(()));
    assert_eq!(
        check(rest, &head(rest), Some(noted)),
        broken(3, Reason::Missing)
    );
    assert_eq!(check(&all, &head(rest), None), broken(3, Reason::Surplus));
    let other = entries(&[Some("x".into()), None, None, None]);
    assert_eq!(
        check(&other, &head(&other), Some(noted)),
        broken(4, Reason::Noted)
    );
}

#[test]
fn a_noted_head_is_read_as_it_is_shown() {
    let text = format!("17:{}", "ab".repeat(32));
    let noted: crate::audit::Noted = text.parse().expect("a head");
    assert_eq!((noted.0.number, noted.0.hash), (17, [0xab; 32]));
    for wrong in ["", "17", "17:ab", "-1:", &text.replace("17", "-1")] {
        assert!(wrong.parse::<crate::audit::Noted>().is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn whatever_is_changed_is_found_where_it_is(
        texts in prop::collection::vec(prop::option::of(".{0,12}"), 1..12),
        place in any::<prop::sample::Index>(),
        how in 0..6usize,
    ) {
        let all = entries(&texts);
        let (head, place) = (head(&all), place.index(all.len()));
        prop_assert_eq!(check(&all, &head, None), Ok(()));
        let mut spoilt = all.clone();
        let expected = match how {
            0 => { spoilt[place].actor_name.push('!'); broken(place + 1, Reason::Changed) }
            1 => { spoilt.remove(place); broken(place + 1, Reason::Missing) }
            2 => {
                // Somebody who knows the rule hashes their forgery: the next one tells.
                spoilt[place].actor_name.push('!');
                spoilt[place].hash = spoilt[place].digest().to_vec();
                if place + 1 == all.len() { broken(place + 1, Reason::Head) } else { broken(place + 2, Reason::Unlinked) }
            }
            3 => { spoilt[place].hash[0] ^= 1; broken(place + 1, Reason::Changed) }
            4 => { spoilt[place].previous[31] ^= 1; broken(place + 1, Reason::Changed) }
            _ => { spoilt.truncate(place); broken(place + 1, Reason::Missing) }
        };
        prop_assert_eq!(check(&spoilt, &head, None), expected);
    }
}
