//! A request through its life: made, looked at, assigned, done, sent back, done again and accepted, by
//! the people of the example data; and what is told of it in the end.

use serde_json::{Value, json};

use super::Api;

/// The people, signed in.
struct People {
    requester: Api,
    lead: Api,
    developer: Api,
}

/// Takes a request through its life and prints its history.
pub async fn show(url: &str, password: &str) -> anyhow::Result<()> {
    let sign_in = async |role: &str| {
        let email = format!("{role}@example.com");
        Api::sign_in(url, &email, password).await
    };
    let people = People {
        requester: sign_in("requester").await?,
        lead: sign_in("lead").await?,
        developer: sign_in("developer").await?,
    };
    let new = json!({
        "title": "Kind reminders of open invoices", "vendor": "Other", "priority": "Medium",
        "description": "A prompt that turns an overdue invoice into a reminder which nobody is angry about.",
    });
    let made = people.requester.post("/api/requests", &new).await?;
    let path = format!("/api/requests/{}", text(&made["request"]["id"]));
    println!(
        "\nRequest {}: {}\n",
        made["request"]["number"],
        text(&made["request"]["title"])
    );
    decided(&people.lead, &path).await?;
    worked_on(&people, &path, 8).await?;
    let wish = "REVISION REQUESTED: too kind for the third reminder";
    to(&people.requester, &path, "Revision Requested", Some(wish)).await?;
    decided(&people.lead, &path).await?;
    worked_on(&people, &path, 2).await?;
    let thanks = "Work accepted by requester.";
    to(&people.requester, &path, "Accepted", Some(thanks)).await?;
    told(&people.requester, &path).await
}

async fn to(api: &Api, path: &str, status: &str, comment: Option<&str>) -> anyhow::Result<()> {
    let body = json!({ "status": status, "comment": comment });
    api.patch(&format!("{path}/status"), &body).await?;
    Ok(())
}

/// A lead looks at it and makes room for it.
async fn decided(lead: &Api, path: &str) -> anyhow::Result<()> {
    to(lead, path, "Feasibility Review", None).await?;
    to(lead, path, "Resource Allocation", None).await
}

/// A lead assigns it, the developer does it.
async fn worked_on(people: &People, path: &str, hours: u32) -> anyhow::Result<()> {
    let me = people.developer.get("/api/users/me").await?;
    let body = json!({ "engineerId": me["user"]["id"], "estimatedHours": hours });
    people.lead.patch(&format!("{path}/assign"), &body).await?;
    to(&people.developer, path, "In Progress", None).await?;
    to(&people.developer, path, "Completed", None).await
}

/// Prints what happened to a request.
async fn told(api: &Api, path: &str) -> anyhow::Result<()> {
    let detail = api.get(path).await?;
    let comments = detail["comments"].as_array().map(Vec::as_slice);
    for row in detail["activity"].as_array().into_iter().flatten() {
        let (who, details) = (text(&row["userName"]), &row["details"]);
        let what = match text(&row["action"]) {
            "created" => "makes the request".to_owned(),
            "assigned" => format!(
                "gives it to {} for {} hours",
                text(&details["engineerName"]),
                details["estimatedHours"]
            ),
            "commented" => {
                let said = comments
                    .unwrap_or_default()
                    .iter()
                    .find(|comment| comment["id"] == details["commentId"]);
                format!("says: {}", said.map_or("", |said| text(&said["content"])))
            }
            _ => format!("sets it to {}", text(&details["status"])),
        };
        let number = row["number"].as_i64().unwrap_or_default();
        println!("  {number:>2}  {who:<15} {what}");
    }
    println!();
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
