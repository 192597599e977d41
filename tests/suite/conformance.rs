//! The fakes against the vendors' own clients: a fake is faithful as long as they accept it.
//!
//! Needs `google-genai` in the Python that `PYTHON` names, else `python3`; without it the check is
//! skipped and says so.

use std::{env, io::Write, process::Stdio};

use tests::fakes::gemini::FakeGemini;
use tokio::process::Command;

const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/conformance/gemini_client.py");

fn python() -> Command {
    let mut python = Command::new(env::var_os("PYTHON").unwrap_or_else(|| "python3".into()));
    python
        .stdin(Stdio::null())
        .env_remove("GEMINI_API_KEY")
        .env_remove("GOOGLE_API_KEY");
    python
}

async fn has_client() -> bool {
    let mut import = python();
    import
        .args(["-c", "import google.genai"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    import.status().await.is_ok_and(|status| status.success())
}

#[tokio::test]
async fn the_official_python_client_accepts_the_fake_in_both_versions_of_the_api() {
    if !has_client().await {
        let advice = "skipped: google-genai is not installed for $PYTHON (or python3)";
        writeln!(std::io::stderr(), "{advice}").expect("a place to say it");
        return;
    }
    for version in ["v1beta", "v1"] {
        let fake = FakeGemini::start().await;
        let check = python()
            .arg(CLIENT)
            .args([&fake.url, version])
            .output()
            .await
            .expect("Python runs");
        let report = [check.stdout, check.stderr].concat();
        assert!(
            check.status.success(),
            "{version}: {}",
            String::from_utf8_lossy(&report)
        );
        assert_eq!(
            fake.counters().keys_in_url,
            0,
            "the client keeps its key out of addresses"
        );
    }
}
