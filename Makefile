# The loops of CONTRIBUTING.md, by name. `make` alone lists them.
MODULE ?= config
TEST ?=
IT ?= DocumentedCommandsIT
BASELINE ?=
VERSION ?= dev
ALIAS ?=
PUSH ?=
MVN := ./mvnw
# Options that leave out everything but the tests that are named.
ONLY := -DskipPython -Dsurefire.failIfNoSpecifiedTests=false -Dfailsafe.failIfNoSpecifiedTests=false

.PHONY: help format test unit it check docs site pages man api release central compatible all
help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-8s %s\n", $$1, $$2 }'

format: ## format and lint Java and Python
	$(MVN) -q -B spotless:apply
	tools=$$(python-bridge/prepare tools) && cd python-bridge && \
	  $$tools/bin/ruff check -q --no-cache --fix --config pyproject.toml . ../ray-app/examples ../docs/tools ../deploy && \
	  $$tools/bin/ruff format -q --no-cache --config pyproject.toml . ../ray-app/examples ../docs/tools ../deploy

test: ## unit tests of all modules in Java, format and static checks
	$(MVN) -B test -DskipPython

unit: ## unit tests of one module: make unit MODULE=config TEST=ConfigLoaderTest
	$(MVN) -q -B -pl $(MODULE) -am test $(ONLY) $(if $(TEST),-Dtest='$(TEST)')

it: ## one integration test: make it IT=DocumentedCommandsIT
	$(MVN) -B -pl ray-app -am verify $(ONLY) -Dtest=DocBlockTest -Dit.test='$(IT)'

check: ## format, lint, types and tests of the Python side
	python-bridge/check

docs: ## the documentation's site, in target/site; fails on a broken link
	tools=$$(python-bridge/prepare tools) && $$tools/bin/python docs/tools/keys.py && NO_MKDOCS_2_WARNING=1 $$tools/bin/mkdocs build --strict

man: ## man pages of the commands, in ray-app/target/dist/share/man
	$(MVN) -q -B -pl ray-app -am package -DskipTests -DskipPython -Pman

api: ## Javadoc, in target/reports/apidocs
	$(MVN) -q -B -DskipTests -DskipPython compile javadoc:aggregate

site: api docs ## the site with Javadoc

pages: api ## the site as a version, committed to the branch gh-pages: make pages VERSION=dev
	@# The versions that are there; before the first one there is no such branch.
	git fetch --quiet --depth 1 origin gh-pages || true
	PATH="$$(python-bridge/prepare tools)/bin:$$PATH" && mike deploy --update-aliases $(PUSH) $(VERSION) $(ALIAS) \
	  $(if $(ALIAS),&& mike set-default $(PUSH) $(ALIAS))

release: ## what a release holds, in target/release
	.ci/release

central: ## sign the jars and hand them to Maven Central, where a person publishes them; needs MAVEN_GPG_KEY
	$(MVN) -B -Prelease,central deploy -Dmaven.test.skip=true -DskipPython -Dspotless.check.skip -Dmaven.install.skip=true

compatible: ## the public Java API against a release: make compatible BASELINE=0.1.0
	@grep -q '^## $(BASELINE) ' CHANGELOG.md || { echo 'BASELINE is a release in CHANGELOG.md'; exit 2; }
	@! grep -q '^  <version>$(BASELINE)</version>' pom.xml || { echo '$(BASELINE) is this version itself'; exit 2; }
	$(MVN) -q -B verify -Dapi.baseline=$(BASELINE) -Dmaven.test.skip=true -DskipPython

all: ## everything that must pass: the README's test command
	python-bridge/prepare dev && mvn -B verify
