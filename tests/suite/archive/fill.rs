//! A company with something of everything, made by the ordinary doors.

use serde_json::{Value, json};
use tests::support::{App, Client};

use crate::generation;

/// What texts are tried with.
pub const ODD: &str =
    "Zoë \u{1F600} \"q\" \\ \u{2028} <b>&amp;</b> 'x' \u{202E}rtl\u{202C} Ünï\tcode";

/// Its people.
pub struct Company {
    pub admin: Client,
    pub developer: Client,
    pub requester: Client,
}

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

/// A company with everything.
pub async fn company(app: &App) -> Company {
    let admin = app.register().await;
    let developer = app.member(&admin, "developer").await;
    let requester = app.member(&admin, "requester").await;
    let company = Company {
        admin,
        developer,
        requester,
    };
    let template = template(&company).await;
    let request = requests(&company).await;
    let version = prompts(app, &company, &template, &request).await;
    outputs(&company, &version).await;
    documents(&company).await;
    datasets(&company).await;
    workflows(&company, &version).await;
    company
}

async fn template(company: &Company) -> String {
    let body = json!({
        "name": format!("Template {ODD}"), "bodyMd": "# {{title}}\n{{request.title}}",
        "lintJson": {"properties": {"title": {"type": "string", "description": ODD}}, "required": ["title"]},
    });
    let path = "/api/prompt-templates";
    let made = company.admin.post(path, &body).await.expect(201).json();
    let path = format!("{path}/{}", id(&made));
    let change = json!({"bodyMd": format!("{ODD} {{{{title}}}}\n{{{{request.title}}}}")});
    company.admin.patch(&path, &change).await.expect(200);
    id(&made)
}

/// A request with a whole past, and one that was just made; gives the first.
async fn requests(company: &Company) -> String {
    let body = json!({"title": format!("Arm {ODD}"), "description": format!("It moves.\n\n{ODD}"),
        "vendor": "KUKA", "priority": "High"});
    let made = company.requester.post("/api/requests", &body).await;
    let first = id(&made.expect(201).json()["request"]);
    let path = format!("/api/requests/{first}");
    let say = async |who: &Client, text: &str| {
        let body = json!({"content": text});
        who.post(&format!("{path}/comments"), &body)
            .await
            .expect(201);
    };
    let advance = async |who: &Client, status: &str| {
        let body = json!({"status": status});
        who.patch(&format!("{path}/status"), &body)
            .await
            .expect(200);
    };
    say(&company.requester, ODD).await;
    advance(&company.admin, "Feasibility Review").await;
    advance(&company.admin, "Resource Allocation").await;
    let assignment = json!({"engineerId": company.developer.id(), "estimatedHours": 8});
    let assign = format!("{path}/assign");
    company.admin.patch(&assign, &assignment).await.expect(200);
    say(&company.developer, "On it.\n\nSoon.").await;
    advance(&company.developer, "In Progress").await;
    let second = json!({"title": "Plain", "description": "Nothing special.", "vendor": "ABB", "priority": "Low"});
    company
        .admin
        .post("/api/requests", &second)
        .await
        .expect(201);
    first
}

/// Prompts private and shared, written and generated, with versions and labels; gives a version.
async fn prompts(app: &App, company: &Company, template: &str, request: &str) -> String {
    let admin = &company.admin;
    let body = json!({
        "title": format!("Prompt {ODD}"), "promptText": format!("Say {{{{x}}}}. {ODD}"), "visibility": "company",
        "sflField": {"topic": ODD, "keywords": "a, b"}, "sflTenor": {"targetAudience": ["Experts", ODD]},
        "sflMode": {"outputFormat": "JSON"}, "exampleOutput": ODD, "notes": ODD,
        "sourceDocument": {"name": "ä.txt", "content": ODD},
        "metadata": {"temperature": 0.25, "n": null, "deep": {"list": [1, "two", null]}},
    });
    let prompt = id(&admin.post("/api/prompts", &body).await.expect(201).json());
    let path = format!("/api/prompts/{prompt}");
    let versions = format!("{path}/versions");
    let first = id(&admin.post_empty(&versions).await.expect(201).json());
    let label = format!("{path}/labels/production");
    admin
        .put(&label, &json!({"versionId": first}))
        .await
        .expect(200);
    let change = json!({"title": "Renamed", "promptText": "Say it."});
    admin.patch(&path, &change).await.expect(200);
    let second = id(&admin.post_empty(&versions).await.expect(201).json());
    admin
        .put(&label, &json!({"versionId": second}))
        .await
        .expect(200);
    let draft = json!({"promptText": "A draft.", "notes": null});
    let bare = json!({"title": "Bare", "promptText": "Hi.", "kind": "grader"});
    admin.patch(&path, &draft).await.expect(200);
    admin.patch(&path, &json!({"notes": ODD})).await.expect(200);
    admin.post("/api/prompts", &bare).await.expect(201);
    let generate = json!({"requestId": request, "templateId": template, "vars": {"title": "T"}});
    let path = "/api/prompts/generate";
    admin.post(path, &generate).await.expect(201);
    let issue = generation::issue(app, admin, "ZOO-1", "A heron").await;
    let plain = json!({"name": "Plain", "bodyMd": "Say {{title}}.",
        "lintJson": {"properties": {"title": {"type": "string"}}}});
    let made = admin.post("/api/prompt-templates", &plain).await;
    let plain = id(&made.expect(201).json());
    let generate = json!({"issueId": issue, "templateId": plain, "vars": {"title": "T"}});
    admin.post(path, &generate).await.expect(201);
    first
}

async fn outputs(company: &Company, version: &str) {
    let fields = [("promptVersionId", version)];
    let bytes = [ODD.as_bytes(), &[0, 255, 10, 13]].concat();
    for name in ["out ä.bin", "same.bin"] {
        let bytes = [bytes.as_slice(), name.as_bytes()].concat();
        let client = &company.developer;
        client
            .upload("/api/outputs", name, &bytes, &fields)
            .await
            .expect(201);
    }
}

async fn documents(company: &Company) {
    let shared = [("visibility", "company")];
    for (name, fields) in [("ponds ä.md", shared.as_slice()), ("own.txt", &[])] {
        let bytes = format!("# Heron\n\n{ODD} {name}");
        let path = "/api/documents/upload";
        let reply = company
            .admin
            .upload(path, name, bytes.as_bytes(), fields)
            .await;
        reply.expect(201);
    }
}

async fn datasets(company: &Company) {
    let table = format!(
        "\u{feff}a,\"b \"\"q\"\"\"\r\n1,\"x\ny\"\r\n,\"{}\"\r\n\"\",z\r\n",
        ODD.replace('"', "\"\"")
    );
    let fields = [("name", "Täble"), ("visibility", "company")];
    let path = "/api/datasets";
    let made = company
        .admin
        .upload(path, "t ä.csv", table.as_bytes(), &fields)
        .await;
    let path = format!("{path}/{}", id(&made.expect(201).json()));
    for rows in [
        json!({"add": [{"a": "new"}], "change": [{"rowIndex": 0, "values": {"a": null}}], "delete": [1]}),
        json!({"delete": [3], "change": [{"rowIndex": 2, "values": {"a": ODD}}]}),
    ] {
        company
            .admin
            .patch(&path, &json!({"rows": rows}))
            .await
            .expect(200);
    }
    let more = b"k\n1\n2\n";
    let reply = company
        .admin
        .upload("/api/datasets", "p.csv", more, &[])
        .await;
    reply.expect(201);
}

async fn workflows(company: &Company, version: &str) {
    let admin = &company.admin;
    let prompts = admin.get("/api/prompts").await.json();
    let documents = admin.get("/api/documents").await.json();
    let body = json!({
        "name": "Flöw", "description": ODD, "visibility": "company", "graph_data": {"zoom": 1.5, "v": version},
        "tasks": [
            {"id": "a", "name": "A", "type": "DATA_INPUT", "outputKey": "a", "staticValue": {"x": [null, ODD]}},
            {"id": "b", "name": "B", "type": "GEMINI_PROMPT", "dependencies": ["a"], "outputKey": "b", "promptId": prompts[0]["id"]},
            {"id": "c", "name": "C", "type": "DOCUMENT_SEARCH", "dependencies": ["b"], "outputKey": "c",
                "promptTemplate": "{{b}}", "documentIds": [documents[0]["id"]]},
        ],
    });
    admin.post("/api/workflows", &body).await.expect(201);
    let list = admin.get("/api/workflows").await.json();
    let default = list
        .as_array()
        .expect("a list")
        .iter()
        .find(|row| row["isDefault"] == true);
    let path = format!("/api/workflows/{}", id(default.expect("a built-in one")));
    admin
        .patch(&path, &json!({"description": "Changed."}))
        .await
        .expect(200);
}
