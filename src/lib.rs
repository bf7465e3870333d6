//! fdscope shows what a Linux process holds open, and how near it is to its limits.
//!
//! # Map
//!
//! Imports go one way, downwards; `tests/layering.rs` checks it.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`proc`] | reading /proc: the scan, limits, settings |
//! | [`sock`] | the socket tables |
//! | [`kind`] | one file a kind of fd: its claim, its decoder, its fields |
//! | [`render`] | table, JSON, JSON lines, TSV; knows no kinds |
//! | [`sys`] | raw system calls, the only unsafe code |
//! | [`model`] | plain data |

pub mod kind;
pub mod model;
pub mod proc;
pub mod render;
pub mod sock;
pub mod sys;
