//! Children that end with their test.

use std::ops::{Deref, DerefMut};
use std::process::Child;

/// A child; dropped, it is ended, whatever the test comes to.
pub(crate) struct Ended(pub(crate) Child);

impl Ended {
    /// Ends it, and waits for that.
    pub(crate) fn end(&mut self) {
        let _ = self.0.kill();
        self.0.wait().expect("it is our child");
    }
}

impl Deref for Ended {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Ended {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
