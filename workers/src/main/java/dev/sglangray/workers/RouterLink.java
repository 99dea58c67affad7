/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.util.Optional;

/** How a server worker tells its fleet's router. Methods block, and fail with words for people. */
interface RouterLink {

    /** No requests to this engine for now; it stays one of the router's servers. */
    void suspend(String url);

    /** Requests again, if the engine of the old URL is one of the router's servers. */
    void resume(String oldUrl, ServerEndpoint endpoint);

    /** The weights that the router's engines are to have; empty without a router. */
    Optional<FleetWeights> weights();

    /** For engines without a router. */
    RouterLink NONE = new RouterLink() {
        @Override
        public void suspend(String url) {}

        @Override
        public void resume(String oldUrl, ServerEndpoint endpoint) {}

        @Override
        public Optional<FleetWeights> weights() {
            return Optional.empty();
        }
    };
}
