//! The file of `--plot`.

use super::{Chart, svg};
use crate::error::Error;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A file to draw into. It is opened before anything is measured, so that nobody waits in vain,
/// and what was in it is kept until there is something to draw.
pub(in super::super) struct PlotFile {
    path: PathBuf,
    file: File,
    /// Whether it is ours, and to be removed if nothing is drawn.
    made: bool,
}

impl PlotFile {
    /// Opens it, or makes it.
    pub(in super::super) fn open(path: &Path) -> Result<Self, Error> {
        if let Some(extension) = path.extension().filter(|extension| !extension.eq_ignore_ascii_case("svg")) {
            return Err(Error::Usage(format!(
                "--plot draws SVG, and {} ends in .{}: give it a name that ends in .svg",
                path.display(),
                extension.display()
            )));
        }
        let mut options = File::options();
        options.write(true);
        let new = options.clone().create_new(true).open(path);
        let made = new.is_ok();
        let file = new.or_else(|_| options.create(true).open(path)).map_err(|e| failed(path, &e))?;
        Ok(Self { path: path.to_owned(), file, made })
    }

    /// Draws.
    pub(in super::super) fn write(mut self, charts: &[Chart]) -> Result<(), Error> {
        let text = svg::draw(charts).map_err(|e| failed(&self.path, &e))?;
        // What is no regular file has no length.
        let _ = self.file.set_len(0);
        self.file.write_all(text.as_bytes()).map_err(|e| failed(&self.path, &e))?;
        self.made = false;
        Ok(())
    }
}

impl Drop for PlotFile {
    fn drop(&mut self) {
        if self.made {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::Usage(format!("cannot write the plot to {}: {error}", path.display()))
}
