import CNGHTTP2

struct HTTP2BodyPart {
    let byteCount: Int
    let isLast: Bool
    /// Trailers end the stream instead of the last DATA frame.
    let hasTrailers: Bool
}

/// nghttp2's server session. All unsafe calls of the library are here; the connection outlives the session.
final class HTTP2Session {
    private let session: OpaquePointer
    /// Keeps its memory from answer to answer.
    private var head = HTTP2FieldBlock()

    /// A stream's window: a body of this size flows without waiting for us.
    static let streamWindowByteCount: Int32 = 1 << 20
    /// The connection's window, for streams side by side.
    static let connectionWindowByteCount: Int32 = 16 << 20

    /// nghttp2 counts the reads in which the heads of CONTINUATION frames arrive, not the frames, so that the same frames
    /// in smaller pieces would end the connection: eight frames whose nine bytes come one by one. Their content is
    /// bounded by the header limits.
    static let maximumContinuationReads = 8 * 9

    init(of connection: HTTP2Connection, limits: Limits) {
        var callbacks: OpaquePointer?
        // nghttp2 allocates here; without memory nothing can be served.
        precondition(nghttp2_session_callbacks_new(&callbacks) == 0, "nghttp2 is out of memory")
        defer { nghttp2_session_callbacks_del(callbacks) }
        HTTP2Callbacks.set(callbacks)
        var options: OpaquePointer?
        precondition(nghttp2_option_new(&options) == 0, "nghttp2 is out of memory")
        defer { nghttp2_option_del(options) }
        nghttp2_option_set_max_continuations(options, Self.maximumContinuationReads)
        var created: OpaquePointer?
        precondition(
            nghttp2_session_server_new2(
                &created, callbacks, Unmanaged.passUnretained(connection).toOpaque(), options) == 0,
            "nghttp2 is out of memory")
        session = created!

        let settings = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue),
                value: UInt32(limits.maximumConcurrentStreams)),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue),
                value: UInt32(Self.streamWindowByteCount)),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue),
                value: UInt32(clamping: limits.maximumHeaderByteCount)),
        ]
        nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), settings, settings.count)
        nghttp2_session_set_local_window_size(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Self.connectionWindowByteCount)
    }

    deinit { nghttp2_session_del(session) }

    /// Reads all bytes; false when the session is beyond repair.
    func receive(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        nghttp2_session_mem_recv(session, bytes.baseAddress, bytes.count) == bytes.count
    }

    /// The next frame to write, valid until the next call; nil when there is none, or the session is beyond repair.
    func nextOutput() -> UnsafeBufferPointer<UInt8>? {
        var bytes: UnsafePointer<UInt8>?
        let count = nghttp2_session_mem_send(session, &bytes)
        return count > 0 ? UnsafeBufferPointer(start: bytes, count: count) : nil
    }

    var wantsInput: Bool { nghttp2_session_want_read(session) != 0 }
    var wantsOutput: Bool { nghttp2_session_want_write(session) != 0 }

    /// Both calls fail only for a stream that is gone, which needs no answer.
    func submit(_ response: ServerResponse, stream: Int32, date: String, hasBody: Bool) {
        var provider = nghttp2_data_provider()
        provider.read_callback = HTTP2Callbacks.readBody
        var head = HTTP2FieldBlock()
        swap(&head, &self.head)
        defer { swap(&head, &self.head) }
        head.setHead(of: response, date: date)
        head.withFields { fields in
            _ = withUnsafePointer(to: &provider) { provider in
                nghttp2_submit_response(
                    session, stream, fields.baseAddress, fields.count, hasBody ? provider : nil)
            }
        }
    }

    func submitContinue(stream: Int32) {
        var block = HTTP2FieldBlock()
        block.append(":status") { $0.appendDecimal(100) }
        block.withFields { fields in
            _ = nghttp2_submit_headers(
                session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, nil, fields.baseAddress, fields.count, nil
            )
        }
    }

    /// To be called once the body's last bytes are read.
    func submitTrailers(stream: Int32, fields: HTTP2FieldBlock) {
        fields.withFields { fields in
            _ = nghttp2_submit_trailer(session, stream, fields.baseAddress, fields.count)
        }
    }

    func reset(stream: Int32, errorCode: nghttp2_error_code) {
        nghttp2_submit_rst_stream(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, UInt32(errorCode.rawValue))
    }

    func submitPing() { nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil) }

    /// RFC 9113 §6.8: tells the client to begin no more streams; those on the wire are still taken.
    func announceShutdown() { nghttp2_submit_shutdown_notice(session) }

    /// The last streams are those that have arrived; the session is done when they are.
    func goAway() {
        nghttp2_submit_goaway(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nghttp2_session_get_last_proc_stream_id(session),
            UInt32(NGHTTP2_NO_ERROR.rawValue), nil, 0)
    }

    /// Ends the session at once.
    func terminate(_ errorCode: nghttp2_error_code) {
        nghttp2_session_terminate_session(session, UInt32(errorCode.rawValue))
    }
}
