"""The names of all checks: those of every run of the tests, and long forms."""

from __future__ import annotations

SHORT = (
    "a_group_that_hangs_is_ended",
    "a_process_that_is_killed_blocks_no_other",
    "two_processes",
    "native",
    "batch_norm_is_that_of_torch",
    "a_batch_norm_of_one_row_is_refused",
    "a_loop_of_ones_own",
    "sums_and_messages",
    "gradients_between_frozen_ones",
    "random_numbers",
    "a_killed_process",
    "a_signal_to_one_process",
    "a_signal_to_processes_and_workers",
    "a_loss_that_is_not_finite_in_one_process",
    "different_programs",
    "a_full_disk",
    "one_process_ends_the_training",
    "resumed_by_another_number_of_processes",
    "only_rank_0_writes",
    "data_of_every_form",
    "each_process_reads_its_rows_of_a_data_set",
    "batches_that_differ_are_refused",
    "a_stream_that_ends_in_one_process",
    "augment_keeps_the_number_of_rows",
    "other_data_in_one_process",
    "random_numbers_of_items",
    "a_wish_at_the_end_of_an_epoch",
)
"""15 s in all."""

LONG = (
    "three_epochs",
    "data_of_every_form_for_compiled_steps",
    "four_processes_of_which_some_have_no_rows",
    "one_process_of_a_launcher",
    "a_hanging_process",
    "a_process_that_does_something_else",
    "a_slow_process",
    "a_lost_rendezvous",
    "an_error_in_one_process",
    "all_resumed_by_any_number",
    "fifty_steps_of_one_two_and_four",
    "resumed_dropout",
    "a_signal_to_processes_and_workers_of_every_form",
    "a_worker_that_hangs_does_not_keep_the_program",
    "twenty_runs_without_a_hang",
    "data_of_which_some_processes_have_no_rows",
    "data_resumed_by_another_number_of_processes",
)
