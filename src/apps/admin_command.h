#pragma once

#include "apps/command.h"

namespace dendro {

/// `dendro admin`: what an operator does with the files of a store, each in a file of its own.
Command admin_command();

Command admin_delete_command();
Command admin_inspect_command();
Command admin_verify_command();
Command admin_repair_command();
Command admin_backup_command();
Command admin_restore_command();
Command admin_compact_command();
Command admin_queries_command();
Command admin_tenant_command();
Command admin_user_command();
Command admin_key_command();
Command admin_role_command();
Command admin_queues_command();
Command admin_dead_letters_command();

}  // namespace dendro
