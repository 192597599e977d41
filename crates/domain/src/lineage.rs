//! Where things come from and what became of them, as one graph: issues and requests, the templates
//! they were filled into, prompts and their versions, the runs that tried them, the outputs.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

text_enum!(
    /// What stands in the graph.
    LineageKind {
        /// An issue of a tracker.
        Issue = "issue",
        /// A colleague's request.
        Request = "request",
        /// A template.
        Template = "template",
        /// A prompt.
        Prompt = "prompt",
        /// What a prompt said at a time.
        PromptVersion = "promptVersion",
        /// A run.
        Run = "run",
        /// An output.
        Output = "output",
    }
);

text_enum!(
    /// How one became of the other.
    Relation {
        /// A version was generated for an issue or a request.
        GeneratedFor = "generatedFor",
        /// A version was generated with a template.
        GeneratedWith = "generatedWith",
        /// A prompt began with such a version, whatever it says since.
        OriginOf = "originOf",
        /// A prompt has a version.
        HasVersion = "hasVersion",
        /// A version was run.
        RunBy = "runBy",
        /// A version judged a run.
        Judged = "judged",
        /// A version brought an output.
        Brought = "brought",
    }
);

text_enum!(
    /// Which way the graph is walked.
    Direction {
        /// To what it comes from, and to what became of it.
        Both = "both",
        /// To what it comes from.
        Up = "up",
        /// To what became of it.
        Down = "down",
    }
);

/// Something in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Vertex {
    /// What it is.
    pub kind: LineageKind,
    /// Its id.
    pub id: Uuid,
}

/// One thing became of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Edge {
    /// The earlier.
    pub from: Vertex,
    /// The later.
    pub to: Vertex,
    /// How.
    pub relation: Relation,
}
