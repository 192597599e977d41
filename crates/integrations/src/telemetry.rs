//! Logs as JSON lines on standard output, and numbers for Prometheus.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// Bounds of all histograms of seconds.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// Starts logging and counting for the program `name`. `RUST_LOG` chooses what is logged.
pub fn start(name: &'static str) -> anyhow::Result<PrometheusHandle> {
    log(name);
    Ok(recorder()?.install_recorder()?)
}

fn log(name: &'static str) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,apalis=warn,actix_server=warn"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(filter)
        .init();
    tracing::info!(
        program = name,
        version = env!("CARGO_PKG_VERSION"),
        "starting"
    );
}

/// As [`start`], with the numbers served on an address of their own when one is given.
pub fn start_serving(
    name: &'static str,
    address: Option<std::net::SocketAddr>,
) -> anyhow::Result<()> {
    log(name);
    let recorder = recorder()?;
    match address {
        Some(address) => recorder.with_http_listener(address).install()?,
        None => drop(recorder.install_recorder()?),
    }
    Ok(())
}

/// A recorder with the bounds of our histograms.
pub fn recorder() -> anyhow::Result<PrometheusBuilder> {
    Ok(PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)?)
}
