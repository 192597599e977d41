//! Webhooks as the fakes send them, under the rules that the endpoints apply.

use domain::trackers::hooks::{self, Change, HookFault};
use tests::fakes::{issues::Hook, jira::FakeJira, jira_dc::FakeJiraDc, teamwork};

use super::support::noon;

fn header<'a>(hook: &'a Hook, name: &str) -> Option<&'a str> {
    let found = hook.headers.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| value.as_str())
}

fn believed(hook: &Hook) -> Result<(), HookFault> {
    hooks::verify_jira(
        "s3cret",
        header(hook, "x-hub-signature"),
        hook.body.as_bytes(),
    )
}

#[tokio::test]
async fn hooks_of_both_jiras_are_believed_when_they_are_signed() {
    let (cloud, own) = (
        FakeJira::start(noon()).await,
        FakeJiraDc::start(noon()).await,
    );
    let id = cloud.shared.world().create("DEMO", "Ducks");
    own.shared.world().create("DEMO", "Ducks");
    let event = "jira:issue_updated";
    for hook in [
        cloud.hook(event, id, "d-1", Some("s3cret")),
        own.hook(event, id, "d-1", Some("s3cret")),
    ] {
        assert_eq!(believed(&hook), Ok(()));
        let delivery = header(&hook, "x-atlassian-webhook-identifier");
        let notice = hooks::jira(delivery, hook.body.as_bytes())
            .expect("a hook")
            .expect("of an issue");
        assert_eq!(
            (notice.external_id.as_str(), notice.change),
            ("10001", Change::Changed)
        );
        assert_eq!(hooks::verify_age(notice.at, noon()), Ok(()));
        let later = noon() + hooks::OLDEST + chrono::Duration::seconds(1);
        assert_eq!(
            hooks::verify_age(notice.at, later),
            Err(HookFault::Stale),
            "replayed"
        );
    }
    assert_eq!(
        believed(&cloud.hook(event, id, "d-1", None)),
        Err(HookFault::Unsigned)
    );
    let mut forged = cloud.hook(event, id, "d-1", Some("s3cret"));
    forged.body = forged.body.replace("10001", "10002");
    assert_eq!(believed(&forged), Err(HookFault::WrongSignature));
}

#[tokio::test]
async fn a_repeated_delivery_is_known_by_its_body_whatever_it_is_called() {
    let fake = FakeJira::start(noon()).await;
    let id = fake.shared.world().create("DEMO", "Ducks");
    let read = |hook: &Hook| {
        let delivery = header(hook, "x-atlassian-webhook-identifier");
        hooks::jira(delivery, hook.body.as_bytes())
            .expect("a hook")
            .expect("of an issue")
            .delivery
    };
    let hook = |name: &str| fake.hook("jira:issue_updated", id, name, None);
    let first = read(&hook("d-1"));
    assert_eq!(read(&hook("d-2")), first, "its name is not signed");
    fake.shared.world().wait(chrono::Duration::minutes(5));
    assert_ne!(read(&hook("d-1")), first, "its time is");
}

#[test]
fn hooks_of_teamwork_are_believed_when_they_are_signed() {
    let signed = teamwork::hook(77, Some("s3cret"));
    let verify = |hook: &Hook| {
        let signature = header(hook, "x-projects-signature");
        hooks::verify_teamwork("s3cret", signature, hook.body.as_bytes())
    };
    assert_eq!(verify(&signed), Ok(()));
    assert_eq!(verify(&teamwork::hook(77, None)), Err(HookFault::Unsigned));
    assert_eq!(
        verify(&teamwork::hook(77, Some("other"))),
        Err(HookFault::WrongSignature)
    );
    let notice = hooks::teamwork("TASK.DELETED", signed.body.as_bytes())
        .expect("a hook")
        .expect("of a task");
    assert_eq!(
        (notice.external_id.as_str(), notice.change),
        ("77", Change::Deleted)
    );
}
