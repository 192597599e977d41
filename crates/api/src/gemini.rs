//! Asking models: trying a prompt, and having a prompt or a workflow drafted. The paths are named after the first
//! provider; any model answers here.

mod answer;
mod ask;
mod body;
mod draft;
mod events;
mod pictures;
mod test_prompt;
mod workflow;

use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(test_prompt::test_prompt)
        .service(test_prompt::test)
        .service(draft::generate_sfl)
        .service(draft::regenerate_sfl)
        .service(workflow::generate_workflow);
}
