/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.argument;

import dev.sglangray.config.Config;
import dev.sglangray.config.WholeNumber;
import dev.sglangray.config.argument.ArgumentSchema.Kind;
import java.util.Optional;
import java.util.Set;

/**
 * Arguments that SGLang or the router has, and that cannot work in a fleet of ours: a process started with one of them would hold its
 * accelerators until its time to become healthy is over. Stateless.
 */
final class UnsupportedArguments {
    private static final String ENGINE_TLS =
            "makes the engine serve HTTPS, but its health is asked for, and the router sends to it, over" + " HTTP";
    private static final String ROUTER_TLS =
            "makes the router serve HTTPS, but its health is asked for, and engines are registered, over" + " HTTP";
    private static final String GRPC =
            "makes the engine serve gRPC in place of HTTP, over which its health is asked for and the router"
                    + " sends to it";
    private static final String RANK =
            "makes every engine the same part of one over several nodes; each part of an engine gets its own rank at its start";

    /** By both of their names: those of the record of arguments, and those of the command line. */
    private static final Set<String> ROUTER_TLS_FILES =
            Set.of("server_cert_path", "server_key_path", "tls_cert_path", "tls_key_path");

    private UnsupportedArguments() {}

    /** Why an argument with this value cannot work, as the end of a sentence about it; empty when nothing is known against it. */
    static Optional<String> reason(Kind kind, String name, Config value) {
        Optional<String> reason = kind.isEngine() ? ofEngine(name) : ofRouter(name);
        // As far as the value is another one than what SGLang does without it.
        return reason.filter(why -> WholeNumber.isTrue(value.toJava()));
    }

    private static Optional<String> ofRouter(String name) {
        return ROUTER_TLS_FILES.contains(name) ? Optional.of(ROUTER_TLS) : Optional.empty();
    }

    private static Optional<String> ofEngine(String name) {
        return switch (name) {
            case "grpc_mode", "smg_grpc_mode" -> Optional.of(GRPC);
            case "node_rank" -> Optional.of(RANK);
            case "enable_ssl_refresh" -> Optional.of(ENGINE_TLS);
            default -> name.startsWith("ssl_") ? Optional.of(ENGINE_TLS) : Optional.empty();
        };
    }
}
