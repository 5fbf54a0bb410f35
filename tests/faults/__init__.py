"""Faults and load over HTTP, on real sockets: nothing hangs, nothing leaks, nothing crosses, and memory stays bounded.

What may go wrong, and the tests that show what comes of it: of a server, whose clients do so, and of a client, whose
server does. What the era changes is shown in both. Some stand in `tests/http`, `TestSessions` in `tests/machines`.

cut after the head, in a body, in a character
    server  test_a_request_that_breaks_off_leaves_nothing_behind
    client  test_an_answer_that_breaks_off_fails_its_call_and_no_other
cut in an event, at any byte, and gone on with
    server  test_leaving_is_no_cancellation_and_what_was_missed_is_fetched_later
            TestSessions
    client  test_an_answer_is_whole_wherever_its_stream_is_cut
            test_p11_a_call_goes_on_after_the_last_event_that_came
half-closed
    server  test_a_client_that_closes_its_half_after_a_request_leaves_and_the_server_lives
    client  test_an_answer_that_breaks_off_fails_its_call_and_no_other
the other side dies in a call
    server  test_a_stateless_call_is_stopped_when_its_client_dies
            test_a_question_outlives_its_client_s_connection_and_ends_with_the_session
    client  test_p3_exactly_the_pending_calls_fail_and_the_next_one_reaches_the_server
            test_p3_a_call_fails_with_its_server_and_the_next_one_finds_the_new_one
it reads slowly, or not at all
    server  test_a_reader_that_is_slow_gets_everything_in_the_end
            test_a_reader_that_takes_nothing_at_all_is_cut_off
            test_a_client_of_a_session_that_reads_nothing_holds_its_handler_back_and_may_leave
            test_a_client_that_never_reads_the_stream_of_its_session_is_told_less_and_nobody_else_is
    client  test_a_server_that_takes_nothing_of_a_request_fails_the_call_when_its_time_is_up
it writes slowly, or not at all
    server  test_a_body_that_crawls_is_refused_with_408_in_bounded_time
            test_a_head_that_does_not_come_ends_the_connection
    client  test_answers_are_read_however_they_are_framed
            test_a_server_that_falls_silent_fails_the_call_when_its_time_is_up
repeated, late and reordered answers
    server  test_an_answer_counts_once_and_late_and_unknown_ones_do_no_harm
            test_an_id_that_is_running_already_is_refused_and_the_first_call_goes_on
    client  test_answers_to_others_late_and_repeated_answers_change_nothing
            test_what_comes_behind_an_answer_is_never_taken_for_the_next_one
a session that is not known (404)
    server  test_a_session_that_there_is_not_is_404
            TestSessions
    client  test_p10_many_calls_that_meet_a_forgotten_session_begin_one_new_one
too busy (429, 503, Retry-After)
    server  test_one_session_cannot_take_everything
            test_a_request_after_the_end_has_begun_is_refused_or_cut_off
    client  test_a_server_that_is_busy_is_named_with_its_wish
            test_p11_a_stream_that_cannot_be_gone_on_with_fails_its_call_after_so_many_tries
redirects
    server  test_p16_there_is_one_endpoint_wherever_it_is_mounted_and_no_redirect
    client  test_one_redirect_within_the_origin_is_followed_and_no_other
wrong content types
    server  test_a_body_is_plain_json_of_a_bearable_size
    client  test_another_content_type_is_named
a gigabyte without a newline
    server  test_a_request_without_end_is_refused_at_the_bound
    client  test_a_line_without_end_on_a_stream_is_passed_over_and_the_answer_behind_it_counts
            test_an_answer_without_end_is_given_up_at_the_bound
nonsense and floods
    server  test_a_request_that_is_none_is_refused
            test_a_flood_of_notifications_is_taken_and_keeps_nothing
    client  test_what_never_ends_is_given_up_and_never_kept
            test_interim_answers_without_end_do_not_outlast_the_call
the server is stopped
    server  test_p8_a_server_with_clients_in_every_phase_ends_soon
    client  test_p3_a_server_that_cannot_be_reached_fails_the_call_and_the_next_one_reaches_it_again

Of a gigabyte in one line a client holds at most 18.2 MiB (`Limits.message_bytes`: 16 MiB), a server 4.9 MiB (4 MiB).
An idle session holds 4.3 KiB, and 1.5 KiB once its worker let go of it. The tests print what they find (`pytest -s`).
"""
