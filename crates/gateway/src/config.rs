//! What calls to models are told, on the command line or by the environment.

use integrations::{
    http::ReachConfig,
    llm::{anthropic::AnthropicConfig, gemini::GeminiConfig, openai::OpenAiConfig},
    sealing::SealingConfig,
    trackers::TrackersConfig,
};

/// The settings of everything between a model's name and its answer, but for the governor's.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct GatewayConfig {
    /// Gemini.
    #[command(flatten)]
    pub gemini: GeminiConfig,
    /// OpenAI, and servers that speak its interface.
    #[command(flatten)]
    pub openai: OpenAiConfig,
    /// Anthropic.
    #[command(flatten)]
    pub anthropic: AnthropicConfig,
    /// What keys of providers are sealed with.
    #[command(flatten)]
    pub sealing: SealingConfig,
    /// Where calls may go whose address a company chose.
    #[command(flatten)]
    pub reach: ReachConfig,
    /// How trackers are reached.
    #[command(flatten)]
    pub trackers: TrackersConfig,
}

impl GatewayConfig {
    /// Forgets settings that were given empty.
    pub fn drop_blanks(&mut self) {
        self.sealing.drop_blanks();
        self.reach.drop_blanks();
    }

    /// Everything that is wrong with the settings, a sentence each.
    pub fn faults(&self) -> Vec<String> {
        self.sealing.faults()
    }
}
