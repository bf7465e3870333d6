//! What tests of the checked-in files share.

pub(crate) mod man;
pub(crate) mod roff;
