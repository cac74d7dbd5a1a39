//! The messages of both protocols.

use sekisho::auth::scram::Exchange;
use sekisho::auth::users::Verifier;
use sekisho::mysql::wire::attributes::Query;
use sekisho::mysql::wire::change_user::ChangeUser;
use sekisho::mysql::wire::column::Column;
use sekisho::mysql::wire::compressed::{Algorithm, Frames};
use sekisho::mysql::wire::greeting::Greeting;
use sekisho::mysql::wire::login::Login;
use sekisho::mysql::wire::ok::Ok as OkPacket;
use sekisho::mysql::wire::packet;
use sekisho::mysql::wire::prepared::Prepared;
use sekisho::mysql::wire::{Capabilities, err, execute};
use sekisho::pg::wire::backend::{self, Authentication, Report};
use sekisho::pg::wire::frontend::{self, Parse, Target};
use sekisho::pg::wire::startup::{self, FirstPacket};
use sekisho::pg::wire::{HEADER, Header};

use super::drive::{Found, run};
use super::mutate;

#[test]
fn postgres() {
    run("postgres messages", postgres_seeds(), mutate::bytes, |case| {
        let mut found = Found::Refused;
        let mut left = case;
        // A stream of messages, each read by every reader there is.
        while let Ok(Some(header)) = Header::read(left) {
            let Some(body) = left.get(HEADER..header.total()) else { break };
            if read_message(body) {
                found = Found::Good;
            }
            left = &left[header.total()..];
        }
        first_packet(case);
        found
    });
}

fn read_message(body: &[u8]) -> bool {
    let parse = Parse::read(body);
    if let Ok(parse) = parse {
        let mut out = Vec::new();
        parse.write(&mut out);
        assert_eq!(&out[HEADER..], body, "a Parse is written as it was read");
    }
    let query = frontend::read_query(body);
    if let Ok(text) = query {
        let mut out = Vec::new();
        frontend::write_query(&mut out, text);
        assert_eq!(&out[HEADER..], body, "a Query is written as it was read");
    }
    let target = frontend::read_target(body);
    if let Ok((target, name)) = target {
        let mut out = Vec::new();
        frontend::write_describe(&mut out, target, name);
        assert_eq!(&out[HEADER..], body, "a Describe is written as it was read");
    }
    let names = frontend::read_bind_names(body);
    let execute = frontend::read_execute(body);
    if let Ok((mechanism, data)) = frontend::read_sasl_initial(body) {
        assert!(mechanism.len() + data.len() < body.len());
        let verifier = VERIFIER.parse::<Verifier>().unwrap();
        if let Ok((exchange, _)) = Exchange::begin(verifier, false, None, data, [7; 18]) {
            assert!(exchange.finish(data).is_err(), "a first message is no proof");
        }
    }
    if let Ok(request) = Authentication::read(body) {
        let mut out = Vec::new();
        request.write(&mut out);
        let is_plain = !matches!(request, Authentication::Other(_));
        assert!(!is_plain || out[HEADER..].len() <= body.len(), "no request grows");
    }
    let _ = backend::read_parameter(body);
    let _ = backend::read_command_tag(body).map(backend::rows_of_tag);
    let _ = backend::read_key(body);
    let fields: usize = backend::error_fields(body).map(|(_, text)| text.len() + 2).sum();
    assert!(fields <= body.len() + 2, "fields are inside of their message");
    assert!(backend::columns(body).take_while(Result::is_ok).count() <= body.len() / 19 + 1);
    parse.is_ok() || query.is_ok() || target.is_ok() || names.is_some() || execute.is_ok()
}

fn first_packet(bytes: &[u8]) {
    let Ok(FirstPacket::Startup(message)) = startup::read(bytes) else { return };
    let mut out = Vec::new();
    let parameters = message.parameters.iter().map(|(name, value)| (name.as_bytes(), value.as_slice()));
    startup::write_startup(&mut out, parameters);
    let Ok(FirstPacket::Startup(again)) = startup::read(&out[4..]) else { panic!("what was written is not read") };
    assert_eq!(again.parameters, message.parameters);
}

const VERIFIER: &str = "SCRAM-SHA-256$4096:A8/SSn/WqZe4oI9ZC1UcqA==$OFRRjMf7jR2yIyKTQFCqK8zyle1qWPHtUlBshMOdnoA=:\
                        6fsCwFlGW3hihIb6AZllqwJMuEKxp7kieUTMB4EpGy8=";

fn postgres_seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let mut add = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        seeds.push(out);
    };
    add(&|out| frontend::write_query(out, b"select 1"));
    add(&|out| Parse { name: b"s1", text: b"select $1", types: &[0, 1, 0, 0, 0, 23] }.write(out));
    add(&|out| frontend::write_describe(out, Target::Portal, b"p"));
    add(&|out| frontend::write_close(out, Target::Statement, b"s"));
    add(&|out| frontend::write_empty(out, frontend::SYNC));
    add(&|out| frontend::write_sasl_initial(out, "SCRAM-SHA-256", b"n,,n=,r=abcdefghijklmnopqrst"));
    add(&|out| frontend::write_sasl_response(out, b"c=biws,r=abc,p=AAAA"));
    add(&|out| Authentication::Sasl(b"SCRAM-SHA-256\0\0").write(out));
    add(&|out| backend::write_parameter(out, b"TimeZone", b"Asia/Tokyo"));
    add(&|out| backend::write_key(out, 7, b"1234"));
    add(&|out| Report::fatal("57P01", "terminating connection").write(out));
    add(&|out| startup::write_startup(out, [(&b"user"[..], &b"a"[..]), (b"database", b"b")]));
    add(&|out| out.extend_from_slice(b"B\0\0\0\x16p\0s\0\0\0\0\x01\0\0\0\x03abc\0\0E\0\0\0\x0ap\0\0\0\0\x05"));
    add(&|out| {
        out.extend_from_slice(b"T\0\0\0\x35\0\x02id\0\0\0\x40\x01\0\x01\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0");
        out.extend_from_slice(b"email\0\0\0\x40\x01\0\x02\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0C\0\0\0\x0dSELECT 1\0");
    });
    let all = seeds.concat();
    seeds.push(all);
    seeds
}

/// What client and server agreed on: everything, and almost nothing.
const CAPABILITIES: [Capabilities; 2] = [Capabilities(u32::MAX), Capabilities(0x0000_8200)];

#[test]
fn mysql() {
    run("mysql packets", mysql_seeds(), mutate::bytes, |case| {
        let mut found = Found::Refused;
        let mut left = case;
        while let Some(header) = packet::Header::read(left) {
            let Some(body) = left.get(packet::HEADER..packet::HEADER + header.len) else { break };
            if read_packet(body) {
                found = Found::Good;
            }
            left = &left[packet::HEADER + header.len..];
        }
        for algorithm in [Algorithm::Zlib, Algorithm::Zstd] {
            unpack(algorithm, case);
        }
        found
    });
}

fn read_packet(body: &[u8]) -> bool {
    let mut good = false;
    for capabilities in CAPABILITIES {
        good |= Query::read(body, true).is_ok() | ChangeUser::read(body, capabilities).is_ok();
        if let Ok(ok) = OkPacket::read(body, capabilities) {
            good = true;
            assert!(ok.state_changes().take(body.len() + 2).count() <= body.len() + 1, "state changes end");
            let mut out = Vec::new();
            ok.write(&mut out, capabilities);
        }
    }
    if let Ok(login) = Login::read(body) {
        good = true;
        let mut out = Vec::new();
        login.write(&mut out);
        let again = Login::read(&out).expect("what was written is read");
        assert_eq!(again.attribute("program_name"), login.attribute("program_name"));
    }
    if let Ok(error) = err::Err::read(body) {
        good = true;
        let mut out = Vec::new();
        error.write(&mut out);
        err::Err::read(&out).expect("what was written is read");
        let _ = error.sqlstate();
    }
    good |= Greeting::read(body).is_ok() | Column::read(body).is_ok() | Prepared::read(body, true).is_ok();
    let _ = (Login::is_tls_request(body), execute::statement(body), execute::wants_cursor(body));
    for parameters in [0, 1, 9, u16::MAX] {
        let _ = execute::binds_types(body, parameters, parameters % 2 == 1);
    }
    good
}

fn unpack(algorithm: Algorithm, case: &[u8]) {
    let mut frames = Frames::new(algorithm);
    let mut out = Vec::new();
    let mut left = case;
    while let Ok(Some(used)) = frames.unpack(left, &mut out) {
        assert!(used > 0 && used <= left.len());
        left = &left[used..];
    }
    assert!(out.len() <= case.len() + (17 << 20), "contents are no larger than a packet");
    let mut packed = Vec::new();
    Frames::new(algorithm).pack(case, &mut packed);
    let (mut again, mut left) = (Vec::new(), packed.as_slice());
    let mut frames = Frames::new(algorithm);
    while !left.is_empty() {
        let used = frames.unpack(left, &mut again).unwrap().expect("whole frames");
        left = &left[used..];
    }
    assert_eq!(again, case, "what was packed is unpacked");
}

fn mysql_seeds() -> Vec<Vec<u8>> {
    let framed = |payload: &[u8]| {
        let mut out = Vec::new();
        packet::append(&mut out, 0, payload);
        out
    };
    let mut seeds: Vec<Vec<u8>> = [
        &b"\x03select 1"[..],
        b"\x03\x01\x01\0\x01\xfe\x01a\x01xselect ?",
        b"\x17\x01\0\0\0\0\x01\0\0\0\0\x01\x03\0\x07\0\0\0",
        b"\x11user\0\x14aaaaaaaaaaaaaaaaaaaashop\0\x2d\0mysql_native_password\0\x05\x01a\x02bc",
        b"\0\x01\0\x02\0\0\0\x00\x08\x01\x06\x04shop\0\x05",
        b"\xff\x15\x04#28000Access denied",
        b"\x03def\x04shop\x01c\x09customers\x05email\x05email\x0c\x2d\0\xff\0\0\0\xfd\x01\x10\0\0\0",
        b"\0\x01\0\0\0\x02\0\x01\0\0\0\0",
        b"\x0a9.7.0\0\x08\0\0\0abcdefgh\0\xff\xff\xff\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0abcdefghijkl\0caching_sha2_password\0",
        b"\x85\xa6\xff\x19\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0user\0\x03abcshop\0caching_sha2_password\0\x16\x0cprogram_name\x08mariadb!",
    ]
    .into_iter()
    .map(framed)
    .collect();
    let all = seeds.concat();
    for algorithm in [Algorithm::Zlib, Algorithm::Zstd] {
        let mut packed = Vec::new();
        Frames::new(algorithm).pack(&all, &mut packed);
        seeds.push(packed);
    }
    seeds.push(all);
    seeds
}
