//! Trackers that companies connected: their settings, what they are signed in to with (sealed), how far
//! they were read, and which webhooks came.
