/** Name and code of a machine as people say it: "Booster pump BP-441". */
export function assetName(asset: { name: string; code: string }): string {
  const code = asset.code.toUpperCase();
  return asset.name.toUpperCase().includes(code) ? asset.name : `${asset.name} ${code}`;
}
