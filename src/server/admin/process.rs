//! The process as Linux sees it, under the names that Prometheus' client libraries use.

use prometheus::proto::MetricFamily;

use super::metrics::{counter, float, gauge};

/// Clock ticks a second in `/proc`; fixed for user space on Linux (proc(5), `USER_HZ`).
const TICKS: f64 = 100.0;
const PAGE: f64 = 4096.0;

/// Processor time, memory and open files; what cannot be read is left out.
pub(super) fn families() -> Vec<MetricFamily> {
    let mut families = Vec::new();
    if let Some((ticks, pages)) = std::fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(stat) {
        let seconds = float(ticks) / TICKS;
        families.push(counter("process_cpu_seconds_total", "Processor time used, in seconds", seconds));
        families.push(gauge("process_resident_memory_bytes", "Memory in use, in bytes", float(pages) * PAGE));
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        families.push(gauge("process_open_fds", "Files and sockets open", float(files.count())));
    }
    families
}

/// Ticks of processor time and pages of memory out of `/proc/self/stat`.
fn stat(text: &str) -> Option<(u64, u64)> {
    // The name, in parentheses, may hold anything.
    let fields: Vec<u64> = text.rsplit_once(") ")?.1.split(' ').map(|field| field.parse().unwrap_or(0)).collect();
    Some((fields.get(11)? + fields.get(12)?, *fields.get(21)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_after_the_name() {
        let text = "42 (a) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 4 0 100 9000 777 1";
        assert_eq!(stat(text), Some((300, 777)));
        assert_eq!(families().len(), 3);
    }
}
