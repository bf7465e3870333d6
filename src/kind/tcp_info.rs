//! What `TCP_INFO` of `tcp(7)` tells of a connection: `struct tcp_info` of `linux/tcp.h`.

use crate::model::{Field, SocketDetail, Type, Value};

/// Where a number stands in the struct, and how it is to be read.
#[derive(Debug)]
struct Part {
    field: Field,
    at: usize,
    unit: Unit,
}

/// What a number is.
#[derive(Clone, Copy, Debug)]
enum Unit {
    /// A byte that counts.
    Byte,
    /// 32 bits that count.
    Count,
    /// 64 bits that count.
    Long,
    /// 64 bits, of which all ones stand for no limit.
    Rate,
    /// Microseconds in 32 bits.
    Micros,
    /// The same, of which all ones stand for none seen yet.
    Shortest,
    /// Microseconds in 64 bits.
    LongMicros,
    /// Milliseconds in 32 bits since something that has not happened before the connection is made.
    Age,
    /// Segments, of which `TCP_INFINITE_SSTHRESH` stands for no limit.
    Threshold,
    /// The low or the high half of a byte.
    Low,
    High,
    /// `TCP_CA_*`.
    CongestionState,
    /// `TCPI_OPT_*`.
    Options,
    /// A bit of a byte.
    Bit,
}

const TCP_INFINITE_SSTHRESH: u32 = 0x7fff_ffff;

/// `net/tcp_states.h`.
const TCP_SYN_SENT: u8 = 2;

/// `enum tcp_ca_state`.
const CONGESTION_STATES: &[&str] = &["open", "disorder", "cwr", "recovery", "loss"];

/// `TCPI_OPT_*`, by bit.
const OPTIONS: &[&str] =
    &["timestamps", "sack", "wscale", "ecn", "ecn-seen", "syn-data", "usec-timestamps", "tfo-child"];

const fn part(name: &'static str, ty: Type, at: usize, unit: Unit, help: &'static str) -> Part {
    Part { field: Field::new(name, ty, help), at, unit }
}

/// The parts, by what people ask for most.
const PARTS: &[Part] = {
    use Type::{Bool, Duration, Integer, List, Size, String};
    use Unit::{
        Age, Bit, Byte, CongestionState, Count, High, Long, LongMicros, Low, Micros, Options, Rate, Shortest,
        Threshold,
    };
    &[
        part("tcp.rtt", Duration, 68, Micros, "smoothed round-trip time"),
        part("tcp.rttvar", Duration, 72, Micros, "how much the round-trip time varies"),
        part(
            "tcp.min_rtt",
            Duration,
            148,
            Shortest,
            "the shortest round-trip time lately; null where there was none",
        ),
        part("tcp.rto", Duration, 8, Micros, "time after which what is not acknowledged is sent again"),
        part("tcp.cwnd", Integer, 80, Count, "congestion window, in segments"),
        part(
            "tcp.ssthresh",
            Integer,
            76,
            Threshold,
            "slow-start threshold, in segments; null where there is none yet",
        ),
        part(
            "tcp.retransmits",
            Integer,
            100,
            Count,
            "segments that were sent again, since the connection was made",
        ),
        part(
            "tcp.timeouts",
            Integer,
            2,
            Byte,
            "times that the retransmission timer ran out since the last acknowledgement",
        ),
        part("tcp.backoff", Integer, 4, Byte, "times that the timer was doubled since then"),
        part("tcp.probes", Integer, 3, Byte, "zero-window and keepalive probes that nothing has answered"),
        part("tcp.unacked", Integer, 24, Count, "segments that are sent and not acknowledged"),
        part("tcp.lost", Integer, 32, Count, "segments of those that are taken for lost"),
        part(
            "tcp.reordering",
            Integer,
            88,
            Count,
            "by how many segments order may differ before one counts as lost",
        ),
        part("tcp.reordered", Integer, 220, Count, "times that a change of order was seen"),
        part("tcp.out_of_order", Integer, 224, Count, "segments that came out of order"),
        part("tcp.bytes_sent", Size, 200, Long, "bytes of data sent, those sent again too"),
        part("tcp.bytes_retransmitted", Size, 208, Long, "bytes of data sent again"),
        part(
            "tcp.bytes_acked",
            Size,
            120,
            Long,
            "bytes that the other end has acknowledged; SYN and FIN count as one",
        ),
        part(
            "tcp.bytes_received",
            Size,
            128,
            Long,
            "bytes that came in order, read or not; the FIN counts as one",
        ),
        part("tcp.not_sent", Size, 144, Count, "bytes in the send queue that were not sent yet"),
        part("tcp.segments_out", Integer, 136, Count, "segments sent"),
        part("tcp.segments_in", Integer, 140, Count, "segments received"),
        part("tcp.delivered", Integer, 192, Count, "segments known to have arrived"),
        part("tcp.delivered_ce", Integer, 196, Count, "segments of those that met congestion (ECN)"),
        part(
            "tcp.last_data_sent",
            Duration,
            44,
            Age,
            "time since data was last sent, or the connection was made",
        ),
        part(
            "tcp.last_data_received",
            Duration,
            52,
            Age,
            "time since data last came, or the connection was made",
        ),
        part("tcp.last_ack_received", Duration, 56, Age, "time since an acknowledgement last came"),
        part("tcp.pacing_rate", Size, 104, Rate, "bytes a second at which it is sent at most now"),
        part(
            "tcp.max_pacing_rate",
            Size,
            112,
            Rate,
            "limit of SO_MAX_PACING_RATE, bytes a second; null for none",
        ),
        part("tcp.delivery_rate", Size, 160, Long, "bytes a second that arrived at the other end, lately"),
        part(
            "tcp.app_limited",
            Bool,
            7,
            Bit,
            "whether that rate was bounded by how little there was to send",
        ),
        part("tcp.busy", Duration, 168, LongMicros, "time in which there was something to send"),
        part(
            "tcp.rwnd_limited",
            Duration,
            176,
            LongMicros,
            "of that, while the other end had no room: it does not read",
        ),
        part(
            "tcp.sndbuf_limited",
            Duration,
            184,
            LongMicros,
            "of that, while the own send buffer was too small",
        ),
        part("tcp.snd_wnd", Size, 228, Count, "window that the other end offers"),
        part("tcp.rcv_wnd", Size, 232, Count, "window that is offered to the other end"),
        part(
            "tcp.rcv_rtt",
            Duration,
            92,
            Micros,
            "round-trip time as the receiver sees it; 0 where not known",
        ),
        part("tcp.rcv_space", Size, 96, Count, "bytes that the application takes in a round trip"),
        part("tcp.rcv_ssthresh", Size, 64, Count, "most that the offered window grows to now"),
        part("tcp.mss", Size, 16, Count, "largest segment that is sent"),
        part("tcp.rcv_mss", Size, 20, Count, "largest segment that came, as it is estimated"),
        part("tcp.advmss", Size, 84, Count, "largest segment that was asked for"),
        part("tcp.pmtu", Size, 60, Count, "path MTU"),
        part("tcp.ato", Duration, 12, Micros, "delay of acknowledgements"),
        part("tcp.snd_wscale", Integer, 6, Low, "shift of the window that the other end offers"),
        part("tcp.rcv_wscale", Integer, 6, High, "shift of the window that is offered"),
        part("tcp.congestion_state", String, 1, CongestionState, "open, disorder, cwr, recovery or loss"),
        part("tcp.options", List, 5, Options, "options in force: timestamps, sack, wscale, ecn, ..."),
    ]
};

/// The name of the congestion control, which is no part of the struct.
const CONGESTION_CONTROL: Field =
    Field::new("tcp.congestion_control", Type::String, "name of the congestion control: cubic, bbr, ...");

const COUNT: usize = PARTS.len() + 1;

/// All fields.
pub(super) const FIELDS: [Field; COUNT] = {
    let mut fields = [CONGESTION_CONTROL; COUNT];
    let mut nth = 0;
    while nth < PARTS.len() {
        fields[nth] = Field::new(PARTS[nth].field.name, PARTS[nth].field.ty, PARTS[nth].field.help);
        nth += 1;
    }
    fields
};

/// Those of the fields that somebody wants.
#[derive(Debug)]
pub struct TcpFields {
    /// Each with its name within the object.
    parts: Vec<(&'static str, &'static Part)>,
    congestion_control: bool,
}

impl TcpFields {
    /// All fields.
    pub const ALL: &[Field] = &FIELDS;

    /// The fields that are wanted, by name.
    pub fn new(wanted: impl Fn(&str) -> bool) -> Self {
        Self {
            parts: PARTS
                .iter()
                .filter(|part| wanted(part.field.name))
                .map(|part| (key(&part.field), part))
                .collect(),
            congestion_control: wanted(CONGESTION_CONTROL.name),
        }
    }

    /// Adds what is told of a socket. A listener has no round trips and the like: some of its numbers
    /// stand for its queue.
    pub fn put(&self, detail: &SocketDetail, listens: bool, values: &mut Vec<(&'static str, Value)>) {
        if let Some(info) = detail.tcp_info.as_deref().filter(|_| !listens) {
            values.extend(self.parts.iter().filter_map(|(key, part)| Some((*key, part.value(info)?))));
        }
        if let Some(name) = detail.congestion.as_ref().filter(|_| self.congestion_control) {
            values.push((key(&CONGESTION_CONTROL), Value::Text(name.clone())));
        }
    }
}

/// The name of a field within its object.
fn key(field: &Field) -> &'static str {
    field.name.split_once('.').map_or(field.name, |(_, key)| key)
}

impl Part {
    /// The value, if the struct of this kernel reaches so far.
    fn value(&self, info: &[u8]) -> Option<Value> {
        let rest = info.get(self.at..)?;
        let byte = || rest.first().copied();
        let count = || rest.first_chunk().map(|&bytes| u32::from_ne_bytes(bytes));
        let long = || rest.first_chunk().map(|&bytes| u64::from_ne_bytes(bytes));
        Some(match self.unit {
            Unit::Byte => Value::Uint(byte()?.into()),
            Unit::Count => Value::Uint(count()?.into()),
            Unit::Long => Value::Uint(long()?),
            Unit::Rate => Some(long()?).filter(|&rate| rate != u64::MAX).into(),
            Unit::Micros => Value::Float(f64::from(count()?) / 1e6),
            Unit::LongMicros => Value::Float(long()? as f64 / 1e6),
            Unit::Shortest => Some(count()?).filter(|&n| n != u32::MAX).map(|n| f64::from(n) / 1e6).into(),
            // The kernel counts from the start of the machine then.
            Unit::Age if info.first() == Some(&TCP_SYN_SENT) => Value::Null,
            Unit::Age => Value::Float(f64::from(count()?) / 1e3),
            Unit::Threshold => Some(count()?).filter(|&n| n < TCP_INFINITE_SSTHRESH).into(),
            Unit::Low => Value::Uint((byte()? & 15).into()),
            Unit::High => Value::Uint((byte()? >> 4).into()),
            Unit::CongestionState => match CONGESTION_STATES.get(usize::from(byte()?)) {
                Some(word) => Value::Word(word),
                None => Value::Text(byte()?.to_string().into_bytes()),
            },
            Unit::Options => {
                let set = byte()?;
                let named = OPTIONS.iter().enumerate().filter(|(bit, _)| set & 1 << bit != 0);
                Value::List(named.map(|(_, word)| Value::Word(word)).collect())
            }
            Unit::Bit => Value::Bool(byte()? & 1 != 0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{FIELDS, TcpFields};
    use crate::model::{SocketDetail, Value};

    fn values(info: Vec<u8>, listens: bool) -> Vec<(&'static str, Value)> {
        let detail = SocketDetail {
            tcp_info: Some(info.into()),
            congestion: Some(b"cubic".to_vec()),
            ..SocketDetail::default()
        };
        let mut values = Vec::new();
        TcpFields::new(|_| true).put(&detail, listens, &mut values);
        values
    }

    #[test]
    fn numbers_have_their_units() {
        let mut info = vec![0; 280];
        (info[1], info[5], info[6], info[7]) = (4, 0b1000_0011, 0x97, 1);
        info[68..72].copy_from_slice(&1500u32.to_ne_bytes());
        info[76..80].copy_from_slice(&0x7fff_ffffu32.to_ne_bytes());
        info[112..120].copy_from_slice(&u64::MAX.to_ne_bytes());
        info[128..136].copy_from_slice(&(1u64 << 40).to_ne_bytes());
        let values = values(info, false);
        let of = |key: &str| &values.iter().find(|(k, _)| *k == key).unwrap().1;
        assert_eq!(of("rtt"), &Value::Float(0.0015));
        assert_eq!((of("ssthresh"), of("max_pacing_rate")), (&Value::Null, &Value::Null));
        assert_eq!(of("bytes_received"), &Value::Uint(1 << 40));
        assert_eq!((of("snd_wscale"), of("rcv_wscale")), (&Value::Uint(7), &Value::Uint(9)));
        assert_eq!((of("congestion_state"), of("app_limited")), (&Value::Word("loss"), &Value::Bool(true)));
        let options = ["timestamps", "sack", "tfo-child"].map(Value::Word);
        assert_eq!(of("options"), &Value::List(options.to_vec()));
        assert_eq!(of("congestion_control"), &Value::Text(b"cubic".to_vec()));
        assert_eq!(values.len(), FIELDS.len());
    }

    #[test]
    fn what_has_not_happened_yet_is_null() {
        let mut info = vec![0xff; 280];
        info[0] = 2;
        let values = values(info, false);
        let of = |key: &str| &values.iter().find(|(k, _)| *k == key).unwrap().1;
        for key in ["min_rtt", "last_data_sent", "last_data_received", "last_ack_received"] {
            assert_eq!(of(key), &Value::Null, "{key}");
        }
    }

    #[test]
    fn of_an_older_kernel_what_there_is() {
        for length in 0..280 {
            let values = values(vec![0xff; length], false);
            assert!(values.iter().all(|(_, value)| *value != Value::Uint(0)));
        }
        assert_eq!(values(vec![0; 104], false).iter().filter(|(key, _)| *key == "pacing_rate").count(), 0);
        assert_eq!(values(vec![0; 280], true).len(), 1);
    }
}
