//! Addresses of providers: a base from the configuration, and paths put behind it.

use url::{PathSegmentsMut, Url};

use super::SetupError;

/// The base, if paths can be put behind it. The setting that holds it is named if not.
pub(super) fn checked_base(base: &Url, setting: &'static str) -> Result<Url, SetupError> {
    let plain = matches!(base.scheme(), "http" | "https")
        && base.query().is_none()
        && base.fragment().is_none();
    if plain {
        Ok(base.clone())
    } else {
        Err(SetupError::BaseUrl(setting))
    }
}

/// The end of the path of a checked base.
pub(super) fn path_of(base: &mut Url) -> PathSegmentsMut<'_> {
    let mut path = base
        .path_segments_mut()
        .expect("the base was checked to carry a path");
    path.pop_if_empty();
    path
}
