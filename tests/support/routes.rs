//! Every route of the product, read from where it is written: the OpenAPI document says what there
//! is, the handlers' own signatures say who may.

use std::{collections::BTreeMap, path::Path};

use domain::users::Role;

/// A route and who may use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `GET`, `POST` …
    pub method: String,
    /// With its variables in braces.
    pub path: String,
    /// The level its handler names: the parameter of its `Context`.
    pub level: String,
}

impl Route {
    /// The least role that passes; `None` where nobody has to be signed in.
    pub fn least_role(&self) -> Option<Role> {
        match self.level.as_str() {
            "Public" => None,
            "Requester" | "Person" => Some(Role::Requester),
            "Developer" | "Reader" | "Runner" => Some(Role::Developer),
            "Lead" => Some(Role::Lead),
            "Admin" => Some(Role::Admin),
            other => panic!("say in tests/support/routes.rs what the level {other} means"),
        }
    }
}

/// All routes under `/api`, as the OpenAPI document lists them. Fails when a handler names no level.
pub fn all() -> Vec<Route> {
    let levels = levels();
    let document = serde_json::to_value(api::document()).expect("JSON");
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item
            .as_object()
            .expect("operations")
            .keys()
            .map(|name| name.to_uppercase())
        {
            if path.starts_with("/api/") {
                let key = (method.clone(), path.clone());
                let level = levels
                    .get(&key)
                    .unwrap_or_else(|| panic!("{key:?} names no access level"));
                routes.push(Route {
                    method,
                    path: path.clone(),
                    level: level.clone(),
                });
            }
        }
    }
    routes
}

/// The level each handler names, from the source.
fn levels() -> BTreeMap<(String, String), String> {
    let mut levels = BTreeMap::new();
    read_folder(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/api/src"),
        &mut levels,
    );
    levels
}

fn read_folder(folder: &Path, levels: &mut BTreeMap<(String, String), String>) {
    for entry in folder.read_dir().expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_folder(&path, levels);
        } else {
            read_source(&std::fs::read_to_string(&path).expect("a source"), levels);
        }
    }
}

fn read_source(source: &str, levels: &mut BTreeMap<(String, String), String>) {
    for method in ["get", "post", "put", "patch", "delete"] {
        for rest in source.split(&format!("#[{method}(\"")).skip(1) {
            let Some((path, rest)) = rest.split_once("\")]") else {
                continue;
            };
            let signature = rest
                .split_once('{')
                .map_or(rest, |(signature, _)| signature);
            let level = signature
                .split_once("Context<")
                .and_then(|(_, rest)| rest.split_once('>'));
            if let Some((level, _)) = level {
                levels.insert(
                    (method.to_uppercase(), format!("/api{path}")),
                    level.to_owned(),
                );
            }
        }
    }
}
