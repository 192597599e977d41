//! A server that does nothing but ask Redis for one key: what any server of this make takes for a
//! copy. It has the product's web framework, threads and connection, and nothing else of it.

use std::net::SocketAddr;

use actix_web::{App, HttpResponse, HttpServer, web};
use clap::Parser;

/// Where it listens and what it asks for.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The address to listen on.
    #[arg(long)]
    bind: SocketAddr,
    /// The key that each request asks for.
    #[arg(long)]
    key: String,
}

#[derive(Parser)]
struct Settings {
    #[command(flatten)]
    config: queue::Config,
}

/// Serves until it is killed.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let config = Settings::parse_from(["bare"]).config;
    let (redis, key) = (queue::connect(&config)?, arguments.key.clone());
    let answer = async |redis: web::Data<queue::Redis>, key: web::Data<String>| {
        let mut redis = queue::Redis::clone(&redis);
        let copy = redis::AsyncCommands::get(&mut redis, key.as_str()).await;
        let copy: String = copy.map_err(actix_web::error::ErrorServiceUnavailable)?;
        Ok::<_, actix_web::Error>(
            HttpResponse::Ok()
                .content_type("application/json")
                .body(copy),
        )
    };
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(redis.clone()))
            .app_data(web::Data::new(key.clone()))
            .default_service(web::to(answer))
    });
    Ok(server.bind(arguments.bind)?.run().await?)
}
