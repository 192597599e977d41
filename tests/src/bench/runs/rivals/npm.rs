//! Where the rivals are installed: their pinned packages from npm, and the scripts that use them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};

use crate::bench::report;

/// The packages, each with its version.
const PACKAGES: &str = "package.json";

/// The scripts, which find their packages beside themselves.
const SCRIPTS: [&str; 2] = ["books.mjs", "bullmq.mjs"];

/// The folder they are in, filled at the first call and after every change of the packages.
pub fn folder() -> anyhow::Result<PathBuf> {
    let (source, folder) = (source(), report::folder()?.join("runs-rivals"));
    fs::create_dir_all(&folder)?;
    for script in SCRIPTS {
        fs::copy(source.join(script), folder.join(script))?;
    }
    let installed = folder.join("installed.json");
    let wanted = fs::read(source.join(PACKAGES))?;
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    fs::write(folder.join(PACKAGES), &wanted)?;
    install(&folder)?;
    fs::write(installed, wanted)?;
    Ok(folder)
}

/// A program of these packages, or of the system where they have none of that name.
pub fn command(program: &str, folder: &Path) -> Command {
    let own = folder.join("node_modules/.bin");
    let path = std::env::var("PATH").unwrap_or_default();
    let installed = own.join(program);
    let program = if installed.exists() {
        installed
    } else {
        program.into()
    };
    let mut command = Command::new(program);
    command.env("PATH", format!("{}:{path}", own.display()));
    command.current_dir(folder);
    command
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/runs")
}

fn install(folder: &Path) -> anyhow::Result<()> {
    // What is optional are clients of other vendors, half a gigabyte of them; the one library among
    // them that is needed, and the Node that promptfoo asks for, are named as packages of their own.
    let little = ["--omit=optional", "--ignore-scripts"];
    let quietly = ["--no-audit", "--no-fund", "--loglevel=error"];
    let status = Command::new("npm")
        .arg("install")
        .args(little)
        .args(quietly)
        .current_dir(folder)
        .status()
        .context("they are installed with npm, which did not start")?;
    ensure!(
        status.success(),
        "npm could not install them; its complaint is above"
    );
    Ok(())
}
