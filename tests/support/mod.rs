//! What tests of the checked-in files share.

pub(crate) mod man;
pub(crate) mod roff;
#[allow(dead_code)] // Most of it is for the test of the guides.
pub(crate) mod session;
