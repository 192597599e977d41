//! Companies, the people in them, and what a role lets them do. How somebody proves who they are
//! is the business of [`crate::auth`].

use crate::{Fault, codec::trimmed};

id!(
    /// A company: the tenant whose rows no other company ever sees.
    CompanyId,
    /// A person in one company.
    UserId,
    /// A one-time invitation to join a company.
    InvitationId,
);

text_enum!(
    /// What a person may do, from least to most: the order of the variants is the order of power.
    Role {
        /// Own requests and their comments, own profile.
        Requester = "requester" | "Requester" | "REQUESTER" | "end-user" | "End-User" | "END_USER",
        /// Prompts, documents, datasets, runs, workflows, issues, generation, outputs.
        Developer = "developer" | "Developer" | "DEVELOPER" | "engineer" | "Engineer" | "ENGINEER",
        /// Templates, stats, triage and assignment, and all a developer may.
        Lead = "lead" | "Lead" | "LEAD" | "manager" | "Manager" | "MANAGER",
        /// Everything in the company.
        Admin = "admin" | "Admin" | "ADMIN",
    }
);

text_enum!(
    /// Who besides its owner may see a row.
    Visibility {
        /// Only the owner; to everyone else the row does not exist.
        Private = "private",
        /// Everyone in the company may read and use it; owner and admin may change it.
        Company = "company",
    }
);

checked_text!(
    /// An e-mail address, lower-cased: one `@`, a name before it and a domain after it.
    /// Whether mail arrives there is not for a pattern to say.
    Email,
    |text| {
        let text = trimmed(text, 3, 254)?.to_lowercase();
        let well_formed = text.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty()
                && !host.is_empty()
                && !host.contains('@')
                && !host.starts_with('.')
                && !host.ends_with('.')
        });
        if !well_formed || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(Fault("must be an e-mail address such as ada@example.com".into()));
        }
        Ok(text)
    }
);

checked_text!(
    /// What a person is called, 1 to 100 characters.
    PersonName,
    |text| trimmed(text, 1, 100)
);

checked_text!(
    /// What a company is called, 1 to 100 characters.
    CompanyName,
    |text| trimmed(text, 1, 100)
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_lower_case() {
        let email: Email = " Ada@Example.COM ".parse().expect("an address");
        assert_eq!(email.as_str(), "ada@example.com");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "a@b@c",
            "a b@c.de",
            "ada@.com",
            "a@b.\0",
        ] {
            assert!(text.parse::<Email>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn roles_are_ordered_by_power_and_know_their_aliases() {
        assert!(Role::Admin > Role::Lead && Role::Lead > Role::Developer);
        assert_eq!("manager".parse(), Ok(Role::Lead));
        assert_eq!("end-user".parse(), Ok(Role::Requester));
        for engineer in ["engineer", "Engineer", "ENGINEER"] {
            assert_eq!(engineer.parse(), Ok(Role::Developer));
        }
        assert!("root".parse::<Role>().is_err());
    }
}
