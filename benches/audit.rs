//! What a statement's audit record costs: made, hashed, written with those of a batch.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use sekisho::audit::{Audit, Facts, ObjectUse, Outcome, Settings, Shown, StatementRecord, Subject};
use sekisho::policy::Verb;

const RECORDS: u32 = 400_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let subject = Subject {
        session: 4711,
        user: "hanako".into(),
        role: "analyst".into(),
        source: "shop".into(),
        protocol: "postgres",
        client: "10.20.30.40:50123".into(),
        application: "pgbench".into(),
    };
    let facts = Facts {
        fingerprint: 0x1234_5678_9abc_def0,
        kinds: vec!["select"],
        rules: vec![Arc::from("contact-data")],
        objects: vec![ObjectUse {
            relation: "public.pgbench_accounts".into(),
            verb: Verb::Read,
            columns: vec![("abalance".into(), Shown::Raw), ("filler".into(), Shown::Masked)],
            filters: vec![],
        }],
        ..Facts::default()
    };
    let text = "SELECT abalance, filler FROM pgbench_accounts WHERE aid = 123456;";
    let sent = "SELECT abalance, filler FROM (SELECT aid, abalance, repeat('*', length(filler)) AS filler FROM public.pgbench_accounts) AS pgbench_accounts WHERE aid = 123456";
    for batch in [1, 8, 64] {
        let dir = tempfile::tempdir()?;
        let audit = Audit::open(Settings::new(dir.path()), "bench")?;
        let begun = Instant::now();
        for index in 0..RECORDS {
            let record = StatementRecord {
                subject: &subject,
                text: black_box(text),
                annotation: None,
                sent: Some(sent),
                facts: &facts,
                outcome: Outcome::Permitted,
                reported: &[],
            };
            black_box(audit.statement(&record)?);
            if index % batch == 0 {
                audit.flush();
            }
        }
        audit.flush();
        let nanoseconds = begun.elapsed().as_nanos() / u128::from(RECORDS);
        let bytes = audit.status().written_bytes / u64::from(RECORDS);
        println!("audit: {nanoseconds} ns a record of {bytes} bytes, written {batch} at a time");
    }
    Ok(())
}
