import CNGHTTP2

/// The C side of what an `HTTP2Connection` is told.
enum HTTP2Callbacks {
    /// `user_data` is the session's connection, which lives as long as the session: nothing has to keep it alive here.
    private static func with<Result>(
        _ userData: UnsafeMutableRawPointer?, _ body: (HTTP2Connection) -> Result
    ) -> Result {
        Unmanaged<HTTP2Connection>.fromOpaque(userData!)._withUnsafeGuaranteedRef(body)
    }

    static func set(_ callbacks: OpaquePointer?) {
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, userData in
            if HTTP2Callbacks.isRequestHead(frame!) {
                HTTP2Callbacks.with(userData) { $0.headersBegan(stream: frame!.pointee.hd.stream_id) }
            }
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, frame, name, nameCount, value, valueCount, _, userData in
            HTTP2Callbacks.with(userData) {
                $0.header(
                    stream: frame!.pointee.hd.stream_id,
                    name: UnsafeBufferPointer(start: name, count: nameCount),
                    value: UnsafeBufferPointer(start: value, count: valueCount))
            }
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            _, _, stream, bytes, count, userData in
            HTTP2Callbacks.with(userData) {
                $0.data(stream: stream, bytes: UnsafeBufferPointer(start: bytes, count: count))
            }
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, userData in
            let header = frame!.pointee.hd
            let isHeaders = UInt32(header.type) == NGHTTP2_HEADERS.rawValue
            guard isHeaders || UInt32(header.type) == NGHTTP2_DATA.rawValue else { return 0 }
            let endsStream = HTTP2Callbacks.endsStream(header)
            HTTP2Callbacks.with(userData) { connection in
                if isHeaders { connection.headersEnded(stream: header.stream_id, endsStream: endsStream) }
                if endsStream { connection.requestEnded(stream: header.stream_id) }
            }
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, errorCode, userData in
            HTTP2Callbacks.with(userData) { $0.streamClosed(stream: stream, errorCode: errorCode) }
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, userData in
            let header = frame!.pointee.hd
            let isOfStream =
                UInt32(header.type) == NGHTTP2_HEADERS.rawValue
                || UInt32(header.type) == NGHTTP2_DATA.rawValue
            if isOfStream, HTTP2Callbacks.endsStream(header) {
                HTTP2Callbacks.with(userData) { $0.responseEnded(stream: header.stream_id) }
            }
            return 0
        }
    }

    static let readBody: nghttp2_data_source_read_callback = { _, stream, buffer, count, flags, _, userData in
        let part = HTTP2Callbacks.with(userData) {
            $0.readBody(stream: stream, into: UnsafeMutableBufferPointer(start: buffer, count: count))
        }
        if part.isLast { flags!.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
        if part.isLast, part.hasTrailers { flags!.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue }
        return part.byteCount
    }

    private static func endsStream(_ header: nghttp2_frame_hd) -> Bool {
        UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
    }

    private static func isRequestHead(_ frame: UnsafePointer<nghttp2_frame>) -> Bool {
        UInt32(frame.pointee.hd.type) == NGHTTP2_HEADERS.rawValue
            && frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
    }
}
