import { type AuditEvent, newAuditEvent } from '../audit/audit-event.ts';
import type { Clock } from '../clock.ts';
import { assertExpectedVersion, type ExpectedVersions } from '../object-version.ts';
import type { Actor } from './actor.ts';
import type { PermissionCatalog } from './permission-catalog.ts';
import type { PermissionCatalogStore } from './permission-catalog-store.ts';

export type CatalogContents = Pick<PermissionCatalog, 'actions' | 'resources'>;

/** What people do with a permission catalog; each write is in the audit trail. */
export function createCatalogManagement({
  catalogs,
  clock,
}: {
  readonly catalogs: PermissionCatalogStore;
  readonly clock: Clock;
}) {
  return {
    /**
     * Null when there is no such project. What keys and roles hold stays, whether the new catalog knows it or not.
     *
     * @throws {VersionMismatch}
     */
    replace(
      projectId: string,
      contents: CatalogContents,
      actor: Actor,
      expectedVersions: ExpectedVersions,
    ): Promise<PermissionCatalog | null> {
      return catalogs.replace(projectId, (current) => {
        assertExpectedVersion(current.version, expectedVersions);
        if (isSame(current, contents)) return { object: current, event: null };
        const object = { ...current, ...contents, updatedAtMs: clock.nowMs() };
        const detail = changesOf(current, contents);
        const event = newAuditEvent(clock, 'permission_catalog.replaced', actor, {
          projectId,
          objectId: projectId,
          detail,
        });
        return { object, event };
      });
    },
  };
}

export type CatalogManagement = ReturnType<typeof createCatalogManagement>;

const isSame = (current: CatalogContents, { actions, resources }: CatalogContents): boolean =>
  JSON.stringify([current.actions, current.resources]) === JSON.stringify([actions, resources]);

/** The entries that differ, in the API's words: two whole catalogs would be a hundred kilobytes. */
function changesOf(before: CatalogContents, after: CatalogContents): AuditEvent['detail'] {
  const [old, now] = [describeContents(before), describeContents(after)];
  const differing = ({ actions, resources }: Described, other: Described) => ({
    actions: entriesBeside(actions, other.actions),
    resources: entriesBeside(resources, other.resources),
  });
  return { before: differing(old, now), after: differing(now, old) };
}

type Described = ReturnType<typeof describeContents>;

function describeContents({ actions, resources }: CatalogContents) {
  return {
    actions: actions.map(({ name, description }) => ({ name, description })),
    resources: resources.map(({ path, description, actions: own, entitiesUrl }) => ({
      path,
      description,
      ...(own && { actions: own }),
      ...(entitiesUrl !== undefined && { entities_url: entitiesUrl }),
    })),
  };
}

function entriesBeside<Entry>(entries: readonly Entry[], others: readonly Entry[]): Entry[] {
  const known = new Set(others.map((entry) => JSON.stringify(entry)));
  return entries.filter((entry) => !known.has(JSON.stringify(entry)));
}
