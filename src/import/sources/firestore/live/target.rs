use secrecy::SecretString;

/// Where a database is, and what opens it.
pub enum LiveTarget {
    /// Google's own.
    Google {
        /// An OAuth access token, as `gcloud auth print-access-token` gives.
        token: SecretString,
    },
    /// An emulator, which needs no token.
    Emulator {
        /// Its `host:port`, as `FIRESTORE_EMULATOR_HOST` has it.
        host: String,
    },
}
