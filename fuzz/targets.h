// The fuzz targets. Each takes any bytes and aborts where a property does not hold.
#pragma once

#include "base/bytes.h"

namespace sallyport::fuzz {

void fuzz_frame(Bytes input);
void fuzz_compressed_frames(Bytes input);
void fuzz_greeting(Bytes input);
void fuzz_handshake_response(Bytes input);
void fuzz_auth_packets(Bytes input);
void fuzz_command(Bytes input);
void fuzz_response_packets(Bytes input);
void fuzz_session_track(Bytes input);
void fuzz_response_reader(Bytes input);
void fuzz_json(Bytes input);
void fuzz_jwks(Bytes input);
void fuzz_token(Bytes input);
void fuzz_config(Bytes input);
void fuzz_sql_lexer(Bytes input);
void fuzz_sql_statement(Bytes input);
void fuzz_proxy_header(Bytes input);
void fuzz_catalogue(Bytes input);
void fuzz_audit_record(Bytes input);
void fuzz_session(Bytes input);
void fuzz_audit_checkpoint(Bytes input);
void fuzz_audit_range(Bytes input);
void fuzz_audit_proof(Bytes input);
void fuzz_audit_records(Bytes input);
void fuzz_answer_pieces(Bytes input);
void fuzz_record_seal(Bytes input);
void fuzz_log_index(Bytes input);
void fuzz_add_checkpoint(Bytes input);
void fuzz_sink_message(Bytes input);
void fuzz_canary(Bytes input);  // holds a planted mistake: a run that does not find it proves nothing

}  // namespace sallyport::fuzz
