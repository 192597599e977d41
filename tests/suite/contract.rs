//! What the product promises on the wire, and the rules of its own house.

#[path = "contract/documents.rs"]
mod documents;
#[path = "contract/house.rs"]
mod house;
#[path = "contract/matrix.rs"]
mod matrix;
#[path = "contract/outputs.rs"]
mod outputs;
#[path = "contract/schemathesis.rs"]
mod schemathesis;
#[path = "contract/search.rs"]
mod search;
