//! What comes late: pages that were asked for before it was known that an issue is gone.

use chrono::Duration;
use domain::trackers::TrackerKind;

use super::{
    desk::{desk, until},
    received::{SECRET, address, hook_of},
    sight::read,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_was_asked_for_before_an_issue_was_gone_does_not_bring_it_back() {
    for kind in TrackerKind::ALL {
        let desk = desk(*kind).await;
        let (path, _) = read(&desk, 1).await;
        let project = desk.fake.projects()[0];
        let ids = [(); 2].map(|()| desk.fake.shared().world().create(project, "Ducks"));
        desk.sync(&path).await;
        assert_eq!(desk.issues().await.len(), 3);
        desk.fake.shared().world().wait(Duration::seconds(1));
        // On the page one stands as it is here, the other has changed.
        desk.fake.shared().world().retitle(ids[1], "Geese");
        let asked = desk.admin.post_empty(&format!("{path}/sync")).await;
        let round = asked.expect(202).json()["syncId"].clone();
        let open = desk.fake.stage().keep_answer();
        let (reader, other) = (desk.app.worker(), desk.app.worker());
        let meanwhile = async {
            until("the page is made", async || desk.fake.stage().kept() == 1).await;
            for id in ids {
                desk.fake.shared().world().delete(id);
                let delivery = id.to_string();
                let hook = hook_of(&desk, "jira:issue_deleted", id, &delivery, Some(SECRET));
                let to = address(&desk, &path).replace("UPDATED", "DELETED");
                desk.hook(&to, &hook).await.expect(202);
            }
            worker::drain(&other).await.expect("drained");
            assert_eq!(desk.issues().await.len(), 1, "{kind}: both are gone");
            drop(open);
        };
        let both = futures::future::join(worker::drain(&reader), meanwhile);
        let (drained, ()) = Box::pin(both).await;
        drained.expect("drained");
        assert_eq!(desk.round(&path, &round).await["state"], "done");
        assert_eq!(desk.issues().await.len(), 1, "{kind}: and stay so");
    }
}
