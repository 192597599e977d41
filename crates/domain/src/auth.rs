//! How somebody proves who they are: passwords, keys and what they may reach.

id!(
    /// A personal API key.
    ApiKeyId,
    /// A signed-in session: the family of refresh tokens that follow one sign-in.
    SessionId,
);

text_enum!(
    /// What a personal API key may be used for.
    Scope {
        /// Reading.
        Read = "read",
        /// Creating, changing and deleting.
        Write = "write",
        /// Starting work that costs money: runs, workflows, model calls.
        Run = "run",
    }
);
