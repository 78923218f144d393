use secrecy::SecretString;

/// Server of a database and its credentials.
pub enum LiveTarget {
    /// Google Cloud.
    Google {
        /// OAuth access token, as `gcloud auth print-access-token` prints it.
        token: SecretString,
    },
    /// An emulator, which requires no token.
    Emulator {
        /// Its `host:port`, as in `FIRESTORE_EMULATOR_HOST`.
        host: String,
    },
}
