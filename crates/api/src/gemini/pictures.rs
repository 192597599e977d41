//! Pictures in a request: read, recognised by their content, and bounded.

use std::ops::ControlFlow;

use base64::{Engine, prelude::BASE64_STANDARD};
use deserr::{DeserializeError, Deserr, ErrorKind, IntoValue, Value, ValuePointerRef};
use domain::providers::{
    generate::Image,
    picture::{MOST, MOST_BYTES, MOST_BYTES_IN_ALL, recognised},
};
use utoipa::ToSchema;

use crate::{error::FieldFault, extract::Faults};

/// A picture that a model is shown.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
pub struct Picture {
    /// Such as `image/png`. The content decides.
    #[deserr(default)]
    #[expect(dead_code, reason = "a part of the request that is not believed")]
    mime_type: Option<String>,
    /// A PNG, JPEG, WebP or GIF of at most 5 MiB, in Base64.
    #[schema(value_type = String)]
    data: Shown,
}

/// The picture itself.
#[derive(Debug)]
struct Shown(Image);

impl Deserr<Faults> for Shown {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Faults> {
        let text = <String as Deserr<Faults>>::deserialize_from_value(value, location)?;
        read(&text).map(Self).map_err(|fault| {
            let msg = fault.to_owned();
            let fault = Faults::error::<V>(None, ErrorKind::Unexpected { msg }, location);
            let (ControlFlow::Continue(faults) | ControlFlow::Break(faults)) = fault;
            faults
        })
    }
}

fn read(text: &str) -> Result<Image, &'static str> {
    // As a browser has it: `data:image/png;base64,…`.
    let data = match text.strip_prefix("data:") {
        Some(url) => url.split_once(";base64,").map_or("", |(_, data)| data),
        None => text,
    };
    let bytes = BASE64_STANDARD
        .decode(data)
        .map_err(|_| "must be Base64 with padding")?;
    if bytes.len() > MOST_BYTES {
        return Err("must have at most 5 MiB");
    }
    recognised(bytes).ok_or("must be a PNG, JPEG, WebP or GIF")
}

/// What is wrong with all of them together.
pub(super) fn faults(pictures: &[Picture]) -> impl Iterator<Item = FieldFault> + use<> {
    let bytes: usize = pictures
        .iter()
        .map(|picture| picture.data.0.bytes.len())
        .sum();
    let rules = [
        (pictures.len() <= MOST, "must have at most 8 items"),
        (
            bytes <= MOST_BYTES_IN_ALL,
            "must have at most 10 MiB in all",
        ),
    ];
    let broken = rules.into_iter().filter(|(holds, _)| !holds);
    broken.map(|(_, message)| FieldFault {
        field: "images".into(),
        message: message.into(),
    })
}

impl From<Picture> for Image {
    fn from(picture: Picture) -> Self {
        picture.data.0
    }
}
