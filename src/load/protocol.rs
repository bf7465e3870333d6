//! What is asked, and what an answer is.

/// How clients talk to a server.
pub trait Protocol: Sync {
    /// Appends what a connection asks. No two of its questions have the same number, and no two
    /// connections the same.
    fn ask(&self, connection: usize, number: u64, question: &mut Vec<u8>);

    /// Whether an answer is complete, or what is wrong with it. Nothing follows it if it `ended`.
    ///
    /// # Errors
    ///
    /// The answer is not the one to this question.
    fn look(&self, question: &[u8], answer: &[u8], ended: bool) -> Result<bool, String>;

    /// Whether this connection asks for much, so that its answers are apart from those of others.
    fn is_heavy(&self, connection: usize) -> bool {
        let _ = connection;
        false
    }
}
