//! A person as the API shows them.

use chrono::{DateTime, Utc};
use db::users::User;
use domain::users::{Email, PersonName, Role, UserId};
use serde::Serialize;
use utoipa::ToSchema;

/// A person as others see them. Address and state are for colleagues who work with requests, not
/// for requesters.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserView {
    id: UserId,
    name: PersonName,
    role: Role,
    /// A picture as a data URL: the initials.
    avatar: String,
    /// The same.
    avatar_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Email>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<DateTime<Utc>>,
}

impl UserView {
    /// Everything, for the person and those who may know.
    pub fn full(user: User) -> Self {
        Self {
            email: Some(user.email.clone()),
            is_active: Some(user.is_active),
            created_at: Some(user.created_at),
            updated_at: Some(user.updated_at),
            ..Self::brief(user)
        }
    }

    /// Name and role, for everybody in the company.
    pub fn brief(user: User) -> Self {
        let avatar = avatar(user.name.as_str());
        Self {
            id: user.id,
            name: user.name,
            role: user.role,
            avatar_url: avatar.clone(),
            avatar,
            email: None,
            is_active: None,
            created_at: None,
            updated_at: None,
        }
    }
}

/// The initials on a coloured disc. Letters and digits only, so that nothing of a name is markup.
fn avatar(name: &str) -> String {
    let initials: String = name
        .split_whitespace()
        .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()))
        .take(2)
        .flat_map(char::to_uppercase)
        .collect();
    let hue = name
        .bytes()
        .fold(0u32, |sum, byte| (sum * 31 + u32::from(byte)) % 360);
    let picture = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 64 64'>\
         <circle cx='32' cy='32' r='32' fill='hsl({hue},45%,45%)'/>\
         <text x='32' y='41' font-family='sans-serif' font-size='26' fill='white' \
         text-anchor='middle'>{initials}</text></svg>"
    );
    let encoded: String = url::form_urlencoded::byte_serialize(picture.as_bytes()).collect();
    format!("data:image/svg+xml,{}", encoded.replace('+', "%20"))
}
