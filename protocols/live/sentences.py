"""One sentence for each error code that a command may end with: what to do about it.

Those about founding, admitting and joining are in `text/`, a table a language; the others English.
"""

from __future__ import annotations

from protocols.errors import FieldmeshError, InputError
from protocols.live.phrases import phrases, spoken_language
from protocols.records.codes import ERRORS

SENTENCES: dict[str, str] = {
    **ERRORS,
    **phrases("en")["error"],
    "no_book": "There is no node in this folder. Make one with `init`, or name another by --data.",
    "book_exists": "This folder already holds a node. Choose another with --data.",
    "folder_not_empty": "This folder is not empty. Choose an empty or a new one with --data.",
    "key_readable": "The key file can be read by others. Run `chmod 600` on it and try again.",
    "key_damaged": "The key file is damaged: nobody can open this book with it. Restore a backup.",
    "place_closed": "This place may not be written or read by you. Choose another.",
    "no_such_place": "There is no such file or folder.",
    "no_passphrase_file": "The passphrase file cannot be read.",
    "no_key_file": "The key file is gone: without it nobody can open this book. Restore a backup.",
    "wrong_passphrase": "That is not the passphrase of this node.",
    "no_passphrase": "A passphrase is needed: type it, or give --passphrase-file or "
    "FIELDMESH_PASSPHRASE.",
    "nobody_to_ask": "Something is missing and there is nobody to ask: give it as an option.",
    "short_passphrase": "Choose a passphrase of at least 8 characters.",
    "in_use": "Another process has this data folder open. Stop it, or use the running node.",
    "wrong_key": "The database does not open under this key.",
    "damaged": "The database is damaged. Restore the last backup; peers will send what it lacks.",
    "disk_full": "The disk is full. Make room; nothing that was called saved is lost.",
    "disk_failed": "The disk failed. Stop, copy the folder if you can, and restore a backup.",
    "book_failed": "The database refused the work. Run `doctor`.",
    "bad_name": "An account's name has 2 to 40 letters, digits, dots, hyphens or underscores.",
    "no_account": "There is no account of this name. `hq account list` names those there are.",
    "no_reader": "This book cannot be read beside its node now. Try again.",
    "unknown_zone": "This time zone is not known here. Name one such as UTC or Africa/Bujumbura.",
    "no_node": "No node is running for this folder. Start one with `serve`.",
    "node_left": "The node stopped. Start it again with `serve`.",
    "node_slow": "The node did not answer in time. Try again.",
    "node_stopping": "The node is stopping.",
    "cannot_listen": "Cannot listen at this address: it is not ours, or another program listens "
    "there. Name another with --listen or --web.",
    "bad_address": "An address is HOST:PORT.",
    "unreachable": "Nobody answers at this address.",
    "refused": "Somebody answers at this address, but it is not a node.",
    "not_admitted": "The code was not taken: it is mistyped, used up or expired. Ask for another.",
    "may_not_admit": "This node may not admit others. Ask the one that founded the operation.",
    "may_not_seal": "This seal would not count here: only somebody of higher rank in the same"
    " organisation, with the same scopes, can seal. Ask that organisation's coordinator.",
    "unknown_member": "Nobody of this name or id belongs to the operation. See `members`.",
    "bad_proof": "This file proves nothing: it is damaged, or its signatures do not hold.",
    "unknown_seal": "There is no such seal. See `quarantine`.",
    "kept_more": "More has come, or less is kept back, than you were shown. Look again first.",
    "note_too_long": "The note is too long.",
    "too_many_invitations": "Too many codes are waiting to be used.",
    "bad_code": "This is not a code: one letter is wrong or missing.",
    "clock_is_plausible": "The clock of this device can be right. Set it there.",
    "too_many_tries": "Too many wrong passphrases. Wait before the next.",
    "locked": "This terminal is locked. Unlock it first.",
    "unknown_rows": "There are no rows of this kind.",
    "not_found": "Nothing here has this id, code or tag.",
    "restored": "This node was restored from a backup. What it wrote before stays, and it goes on.",
    "copied": "This folder was copied or moved to another disk or machine. It goes on as a node of "
    "its own; never run both copies for long.",
    "backup_failed": "The backup did not verify and was removed. Try another disk.",
    "backup_damaged": "This backup does not verify. Use an older one.",
    "bad_line": "The node and this command do not understand each other: they are of two versions.",
    "bad_pack": "A guideline file of this software is damaged. Install it again.",
    "demo_failed": "A part of the demonstration did not start.",
    "document_order": "A document came in the wrong order. Run `doctor`.",
    "document_rebuild": "A document has to be built anew. Start the node again.",
    "entry_too_long": "This is too much for one entry. Write it in parts.",
    "greeting_timeout": "The other node did not answer in time.",
    "joined": "This node has just joined, and greets its peers anew.",
    "line_too_long": "This is too long for one call. Ask for less at a time.",
    "no_identity": "This book was never founded. Make one with `init`.",
    "no_key": "This node does not have the key to write with yet. Wait until it meets a peer.",
    "no_scope": "This node has no place to write to yet. Wait until it meets a peer.",
    "no_socket_place": "There is no private place for the node's socket. Use a shorter --data.",
    "noise_exhausted": "This link has carried all it may. It is made anew.",
    "not_durable": "This disk cannot promise that what is saved stays. Use another.",
    "too_busy": "The node has too much to do. Try again.",
    "unknown_call": "The running node is of another version. Start it again.",
    "not_a_backup": "This file is not a backup of a node.",
    "check_failed": "The check did not come to an end. Try again.",
    "stopped": "The node was stopped before this was done. Nothing is left of it.",
    "not_for_us": "This recovery copy is sealed to somebody else.",
    "node_running": "The node is running. Stop it first with `lock`.",
    "target_exists": "There is something at this place already. Choose another.",
}


def sentence(error: FieldmeshError) -> str:
    """Return what to tell a person; codes without a sentence show as they are."""
    ours = phrases(spoken_language())["error"]
    words = ours.get(error.code) or SENTENCES.get(error.code, f"Refused: {error.code}.")
    if isinstance(error, InputError):
        if error.field:
            words += f" (field {error.field})"
        if error.allowed:
            words += f" Allowed: {', '.join(error.allowed)}."
    return words
