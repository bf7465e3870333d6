//! nginx, with nothing but one answer.

use crate::Result;
use std::fs;
use std::path::{Path, PathBuf};

/// Where it finds its configuration.
pub(crate) fn configuration(dir: &Path) -> PathBuf {
    dir.join("nginx.conf")
}

/// Writes that.
pub(crate) fn configure(dir: &Path, port: u16, workers: usize) -> Result<()> {
    let dir_text = dir.display();
    let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let places: String = places.iter().map(|p| format!("{p}_temp_path {dir_text}/{p};\n")).collect();
    let text = format!(
        "daemon off; worker_processes {workers}; pid {dir_text}/nginx.pid; error_log stderr crit;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\naccess_log off; keepalive_requests 1000000000;\n{places}\
         server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 \"ok\\n\"; }} }}\n}}\n"
    );
    Ok(fs::write(configuration(dir), text)?)
}
