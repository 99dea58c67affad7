/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The launcher's block ({@code router_server_args}) as a typed record: names, switches, and the argument blocks of engines and router.
 * It reads and checks, and starts nothing.
 */
@NullMarked
package dev.sglangray.config.launcher;

import org.jspecify.annotations.NullMarked;
