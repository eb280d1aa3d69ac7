-- Asks superid-gateway whether a request may pass, and hands the request on only after a 200.

-- The gateway's listener with forward_auth.
local CHECK = "http://127.0.0.1:8081/auth/check"
-- In milliseconds; the gateway gives a slow store up after a second.
local PATIENCE = 5000

-- What the gateway alone says of who is calling: taken from its answer, or not there.
local OURS = {
  "x-superoffice-user", "x-superoffice-context", "x-superoffice-company", "x-superoffice-email",
  "x-superoffice-initials", "x-superoffice-first-name", "x-superoffice-last-name",
  "x-superoffice-associate-id", "x-superoffice-administrator", "x-superoffice-webapi-url",
  "x-superoffice-soap-url", "soticket", "authorization", "cookie",
}
-- What some frameworks take for the address, and clients may send.
local ASTRAY = {
  "x-forwarded-uri", "x-forwarded-method", "x-forwarded-prefix", "x-original-url",
  "x-original-method", "x-rewrite-url", "x-http-method-override",
}
-- What is about the client's connection, and not about the request.
local NOT_ASKED = {
  ["connection"] = true, ["content-length"] = true, ["expect"] = true, ["host"] = true,
  ["keep-alive"] = true, ["te"] = true, ["transfer-encoding"] = true, ["upgrade"] = true,
  ["x-forwarded-method"] = true, ["x-forwarded-uri"] = true,
}
-- What of a refusal the client is to see.
local SHOWN = {
  "cache-control", "content-security-policy", "content-type", "location", "referrer-policy",
  "retry-after", "www-authenticate", "x-content-type-options", "x-frame-options", "x-sign-in",
}

local function question(txn)
  local headers = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    if not NOT_ASKED[name] then
      local list = {}
      for index = 0, #values do
        if values[index] ~= nil then list[#list + 1] = values[index] end
      end
      headers[name] = list
    end
  end
  headers["x-forwarded-method"] = { txn.sf:method() }
  headers["x-forwarded-uri"] = { txn.sf:pathq() }
  return headers
end

local function refuse(txn, status, answer)
  local reply = txn:reply()
  reply:set_status(status)
  if answer ~= nil then
    for _, name in ipairs(SHOWN) do
      local values = answer.headers[name]
      if values ~= nil then
        for index = 0, #values do
          if values[index] ~= nil then reply:add_header(name, values[index]) end
        end
      end
    end
    reply:set_body(answer.body or "")
  end
  txn:done(reply)
end

local function first(values)
  if values == nil then return nil end
  return values[0] or values[1]
end

local function check(txn)
  local asked, answer = pcall(function()
    return core.httpclient():get{ url = CHECK, headers = question(txn), timeout = PATIENCE }
  end)
  if not asked or answer == nil or answer.status == nil or answer.status == 0 then
    return refuse(txn, 503, nil)
  end
  if answer.status ~= 200 then
    local status = answer.status
    if status < 300 then status = 503 end
    return refuse(txn, status, answer)
  end
  for _, name in ipairs(ASTRAY) do txn.http:req_del_header(name) end
  for _, name in ipairs(OURS) do
    txn.http:req_del_header(name)
    local value = first(answer.headers[name])
    if value ~= nil and value ~= "" then txn.http:req_add_header(name, value) end
  end
  for number = 1, 3 do
    local cookie = first(answer.headers["x-set-cookie-" .. number])
    if cookie ~= nil then txn:set_var("txn.superid_cookie_" .. number, cookie) end
  end
end

core.register_action("superid_check", { "http-req" }, check, 0)
