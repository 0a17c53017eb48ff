/**
 * GitHub's `Link` header with chimney's own addresses in it, so that a client that follows `next` stays behind the cache.
 * GitHub names the repository by number there. Links that lead elsewhere are left out.
 */
export function rewriteLink(link: string): string {
  return link
    .split(/,\s*(?=<)/)
    .flatMap((part) => {
      const match =
        /^<https?:\/\/[^/>]+(?:\/api\/v3)?\/(?:repos\/[^/>]+\/[^/>]+|repositories\/\d+)(\/[^>]*)>(;.*)$/.exec(part);
      return match ? [`</api/github${match[1]}>${match[2]}`] : [];
    })
    .join(', ');
}
