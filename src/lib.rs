//! fdscope shows what a Linux process holds open, and how near it is to its limits.
//!
//! # Map
//!
//! Imports go one way, downwards; `tests/layering.rs` checks it.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`model`] | plain data |

pub mod model;
